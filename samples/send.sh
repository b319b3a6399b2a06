#!/bin/sh
# Sends a real newsletter to 1,000 invented subscribers, through a mail server of its own that
# delivers nothing. $1 is the folder that the samples were published into; its .env has the settings.
set -eu
samples=$(dirname "$0")
cp "$samples/subscribers.csv" "$1"
samples=$(cd "$samples" && pwd)
cd "$1"
dispatch subscribers import subscribers.csv --desk world

dispatch catch --port 0 --into caught --refuse 2 --defer 1 --json >caught.json 2>catch.log &
catching=$!
trap 'kill $catching 2>/dev/null || true' EXIT
port=
while [ -z "$port" ]; do
    kill -0 $catching || { cat catch.log; exit 1; }
    sleep 0.1
    port=$(sed -n 's/^Catching on .*:\([0-9]*\).*/\1/p' catch.log)
done

export DISPATCH_SMTP_URL="smtp://127.0.0.1:$port"
dispatch send "$samples/grain-corridor.md" "$samples/harbour-ferry.txt" "$samples/night-bus.md" \
    --desk world --subject "The morning briefing" --yes
dispatch mailing verify 1
kill $catching
wait $catching || true
echo "What the mail server caught: $(tr -s ' \n' ' ' <caught.json | cut -c 1-120)…"
