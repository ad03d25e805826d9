#!/usr/bin/env bash
# Makes the dumps in the folder above again, from the SQL beside this file.
# Needs a Postgres server (initdb, postgres, pg_dump, psql) and faketime, which gives the two dumps
# the dates of two days in a row; the server lives in a temporary folder and goes when this ends.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin=${PG_BIN:-$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)}
work=$(mktemp -d)
chmod 755 "$work"
as=()
if [ "$(id -u)" = 0 ]; then
  chown postgres "$work"
  as=(setpriv --reuid=postgres --regid=postgres --clear-groups)
fi
stop() { "${as[@]}" "$bin/pg_ctl" -D "$work/db" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$work"; }
trap stop EXIT
export TZ=UTC LC_ALL=C.UTF-8 PGHOST="$work" PGUSER=postgres PGDATABASE=queryfeed
"${as[@]}" "$bin/initdb" -D "$work/db" -U postgres -E UTF8 --locale=C.UTF-8 -A trust >/dev/null
"${as[@]}" "$bin/pg_ctl" -w -D "$work/db" -o "-k $work -c listen_addresses=" -l "$work/log" start >/dev/null
psql -q -d postgres -c 'CREATE DATABASE queryfeed'
psql -q -v ON_ERROR_STOP=1 -f "$here/queryfeed.sql"
dump() { faketime "$1" "$bin/pg_dump" --verbose --no-owner "${@:2}" 2>/dev/null; }
dump '2026-11-21 06:00:00' > "$here/../queryfeed.sql"
dump '2026-11-21 06:00:00' -Fc -f "$here/../queryfeed.dump"
psql -q -v ON_ERROR_STOP=1 -f "$here/next-day.sql"
dump '2026-11-22 06:00:00' > "$here/../queryfeed-next-day.sql"
