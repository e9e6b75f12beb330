#!/bin/bash
# What kafka-server-stop.sh and zookeeper-server-stop.sh do: SIGTERM (or $SIGNAL) to every process of this machine that runs as `vltava SUBCOMMAND`,
# or only to that with the properties file given.
#   stop-servers.sh SUBCOMMAND NAME [FILE]
if [ $# -lt 2 ]; then
  echo "USAGE: $0 subcommand name [properties file]"
  exit 1
fi
subcommand=$1 name=$2 only=${3:+$(readlink -f -- "$3")} pids=()
[ -z "${3:-}" ] || [ -f "$only" ] || { echo "$3: there is no such file" >&2; exit 1; }

# Whether a process was started with the file; what it was called with is relative to where it runs.
has_file() { # PROCESS WORD...
  local process=$1 word; shift
  for word; do
    [ "$(cd "$process/cwd" 2> /dev/null && readlink -f -- "$word")" = "$only" ] && return
  done
  return 1
}

for process in /proc/[0-9]*; do
  mapfile -d '' -t words 2> /dev/null < "$process/cmdline" || continue
  [ "${words[0]##*/}" = vltava ] && [ "${words[1]:-}" = "$subcommand" ] || continue
  [ -z "$only" ] || has_file "$process" "${words[@]:2}" || continue
  pids+=("${process#/proc/}")
done
if [ ${#pids[@]} -eq 0 ]; then
  echo "No $name server to stop"
  exit 1
fi
kill -s "${SIGNAL:-TERM}" "${pids[@]}"
