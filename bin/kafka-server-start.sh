#!/bin/bash
# Starts a broker.
if [ $# -lt 1 ]; then
  echo "USAGE: $0 [-daemon] server.properties [--override property=value]*"
  exit 1
fi
daemon=
if [ "$1" = -daemon ]; then daemon=-daemon; shift; fi
exec "$(dirname "$(readlink -f "$0")")/kafka-run-class.sh" $daemon -name kafkaServer kafka.Kafka "$@"
