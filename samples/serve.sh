#!/bin/sh
# Puts the demo on the web, for this machine alone: its site, what works off readers' requests, and
# a mail server that delivers nothing and prints what it gets. $1 is the folder of the demo, whose
# .env has the settings. Ctrl-C ends all of it.
set -eu
cd "$1"
dispatch catch --text --into mails &
catching=$!
dispatch run &
running=$!
dispatch serve &
serving=$!
trap 'kill $serving $running $catching 2>/dev/null || true' INT TERM EXIT
sleep 2
cat <<'END'

  http://127.0.0.1:8000/                  the front page
  http://127.0.0.1:8000/world/subscribe   sign up: any address will do, nothing leaves this machine
  http://127.0.0.1:8000/wirtschaft/       a desk for members, who get a feed of their own

The mail that answers appears here. Follow its link, and those of the mail after it. Ctrl-C ends it.

END
wait $serving || true
