#!/bin/bash
# Starts the embedded one-node ZooKeeper.
if [ $# -lt 1 ]; then
  echo "USAGE: $0 [-daemon] zookeeper.properties"
  exit 1
fi
daemon=
if [ "$1" = -daemon ]; then daemon=-daemon; shift; fi
exec "$(dirname "$(readlink -f "$0")")/kafka-run-class.sh" $daemon -name zookeeper org.apache.zookeeper.server.quorum.QuorumPeerMain "$@"
