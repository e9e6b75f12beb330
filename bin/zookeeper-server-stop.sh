#!/bin/bash
# Stops the ZooKeeper servers of this machine: SIGTERM to every process that runs as `vltava zookeeper`, or only to that with the properties file given.
#   zookeeper-server-stop.sh [zookeeper.properties]
only=${1:+$(readlink -f -- "$1")} pids=()
[ -z "${1:-}" ] || [ -f "$only" ] || { echo "$1: there is no such file" >&2; exit 1; }

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
  [ "${words[0]##*/}" = vltava ] && [ "${words[1]:-}" = zookeeper ] || continue
  [ -z "$only" ] || has_file "$process" "${words[@]:2}" || continue
  pids+=("${process#/proc/}")
done
if [ ${#pids[@]} -eq 0 ]; then
  echo "No zookeeper server to stop"
  exit 1
fi
kill -s "${SIGNAL:-TERM}" "${pids[@]}"
