#!/bin/sh
# Sends a real newsletter to 1,000 invented subscribers, through a mail server of its own that
# delivers nothing. $1 is the folder that the samples were published into.
set -eu
out=$1
here=$(dirname "$0")
export DISPATCH_SITE_URL=https://courier.example DISPATCH_PUBLISHER="The Example Courier"

cp "$here/subscribers.csv" "$out"
dispatch subscribers import "$out/subscribers.csv" --desk world --out "$out"

dispatch catch --port 0 --into "$out/caught" --refuse 2 --defer 1 --json \
    >"$out/caught.json" 2>"$out/catch.log" &
catching=$!
trap 'kill $catching 2>/dev/null || true' EXIT
port=
while [ -z "$port" ]; do
    kill -0 $catching || { cat "$out/catch.log"; exit 1; }
    sleep 0.1
    port=$(sed -n 's/^Catching on .*:\([0-9]*\).*/\1/p' "$out/catch.log")
done

export DISPATCH_SMTP_URL="smtp://127.0.0.1:$port"
dispatch send "$here/grain-corridor.md" "$here/harbour-ferry.txt" "$here/night-bus.md" \
    --desk world --subject "The morning briefing" --yes --out "$out"
dispatch mailing verify 1 --out "$out"
kill $catching
wait $catching || true
echo "What the mail server caught: $(tr -s ' \n' ' ' <"$out/caught.json" | cut -c 1-120)…"
