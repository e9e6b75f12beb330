#!/bin/bash
# Stops the ZooKeeper servers of this machine, or only that with the properties file given.
exec "$(dirname "$(readlink -f "$0")")/stop-servers.sh" zookeeper zookeeper "$@"
