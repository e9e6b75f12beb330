#!/bin/bash
# Stops the ZooKeeper servers of this machine: SIGTERM to every process that runs as `vltava zookeeper`, or only to that with the properties file given.
#   zookeeper-server-stop.sh [zookeeper.properties]
only=${1:-} pids=()
for process in /proc/[0-9]*; do
  mapfile -d '' -t words 2> /dev/null < "$process/cmdline" || continue
  [ "${words[0]##*/}" = vltava ] && [ "${words[1]:-}" = zookeeper ] || continue
  [ -z "$only" ] || [[ " ${words[*]:2} " == *"$only "* ]] || continue
  pids+=("${process#/proc/}")
done
if [ ${#pids[@]} -eq 0 ]; then
  echo "No zookeeper server to stop"
  exit 1
fi
kill -s "${SIGNAL:-TERM}" "${pids[@]}"
