#!/bin/bash
# Runs vltava under the name of the Java class that does the same in Kafka:
#   kafka-run-class.sh [-daemon] [-name NAME] [-loggc] CLASS [arguments]
# The other scripts come through here. A name without a dot is a subcommand of vltava.

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
base=${VLTAVA_HOME:-$(dirname "$here")}
LOG_DIR=${LOG_DIR:-$base/logs}

# The program: $VLTAVA, or beside the scripts (an installation), or in target/ (a source tree; the latest build of the two).
find_vltava() {
  local candidate
  if [ -n "${VLTAVA:-}" ]; then echo "$VLTAVA"; return; fi
  for candidate in "$base/bin/vltava" "$here/vltava"; do
    [ -x "$candidate" ] && { echo "$candidate"; return; }
  done
  local target=${CARGO_TARGET_DIR:-$base/target}
  local release=$target/release/vltava debug=$target/debug/vltava
  if [ -x "$release" ] && ! { [ -x "$debug" ] && [ "$debug" -nt "$release" ]; }; then echo "$release"; return; fi
  [ -x "$debug" ] && { echo "$debug"; return; }
  command -v vltava
}

if [ $# -lt 1 ]; then
  echo "USAGE: $0 [-daemon] [-name servicename] [-loggc] classname [opts]"
  exit 1
fi

daemon= name=
while :; do
  case ${1:-} in
    -daemon) daemon=1; shift ;;
    -name) name=${2:-}; shift 2 ;;
    -loggc) shift ;; # there is no garbage collector to log
    *) break ;;
  esac
done

class=${1:-}; shift
case $class in
  kafka.Kafka) command=server ;;
  org.apache.zookeeper.server.quorum.QuorumPeerMain | org.apache.zookeeper.server.ZooKeeperServerMain) command=zookeeper ;;
  org.apache.zookeeper.ZooKeeperMain* | kafka.tools.ZooKeeperMainWrapper) command=zookeeper-shell ;;
  kafka.admin.TopicCommand | org.apache.kafka.tools.TopicCommand) command=topics ;;
  kafka.admin.ConfigCommand) command=configs ;;
  kafka.admin.ConsumerGroupCommand | org.apache.kafka.tools.consumer.group.ConsumerGroupCommand) command=consumer-groups ;;
  kafka.admin.BrokerApiVersionsCommand | org.apache.kafka.tools.BrokerApiVersionsCommand) command=broker-api-versions ;;
  kafka.admin.DeleteRecordsCommand | org.apache.kafka.tools.DeleteRecordsCommand) command=delete-records ;;
  kafka.admin.LeaderElectionCommand | org.apache.kafka.tools.LeaderElectionCommand) command=leader-election ;;
  kafka.admin.ReassignPartitionsCommand | org.apache.kafka.tools.reassign.ReassignPartitionsCommand) command=reassign-partitions ;;
  kafka.admin.LogDirsCommand | org.apache.kafka.tools.LogDirsCommand) command=log-dirs ;;
  kafka.tools.ConsoleProducer | kafka.producer.ConsoleProducer | org.apache.kafka.tools.ConsoleProducer) command=console-producer ;;
  kafka.tools.ConsoleConsumer | kafka.consumer.ConsoleConsumer | org.apache.kafka.tools.consumer.ConsoleConsumer) command=console-consumer ;;
  # 0.11 knows the tool by this name; kafka-get-offsets.sh is of 3.x.
  kafka.tools.GetOffsetShell) command=get-offsets; set -- --era "${VLTAVA_ERA:-0.11}" "$@" ;;
  org.apache.kafka.tools.GetOffsetShell) command=get-offsets ;;
  # The name that 0.11 knows the tool by asks for its output; kafka-dump-log.sh is of 3.x.
  kafka.tools.DumpLogSegments) command=dump-log; set -- --era "${VLTAVA_ERA:-0.11}" "$@" ;;
  org.apache.kafka.tools.DumpLogSegments) command=dump-log ;;
  kafka.perf.ProducerPerformance | kafka.tools.ProducerPerformance | org.apache.kafka.tools.ProducerPerformance)
    command=producer-perf-test ;;
  # The first Java tool, of 0.8.2, had no names for its arguments.
  org.apache.kafka.clients.tools.ProducerPerformance)
    command=producer-perf-test
    if [ $# -lt 4 ]; then
      echo "USAGE: java $class topic_name num_records record_size target_records_sec [prop_name=prop_value]*" >&2
      exit 1
    fi
    set -- --topic "$1" --num-records "$2" --record-size "$3" --throughput "$4" --producer-props "${@:5}" ;;
  kafka.perf.ConsumerPerformance | kafka.tools.ConsumerPerformance | org.apache.kafka.tools.ConsumerPerformance)
    command=consumer-perf-test ;;
  org.apache.kafka.tools.VerifiableProducer | org.apache.kafka.clients.tools.VerifiableProducer) command=verifiable-producer ;;
  org.apache.kafka.tools.VerifiableConsumer) command=verifiable-consumer ;;
  kafka.tools.MirrorMaker) command=mirror-maker ;;
  kafka.admin.PreferredReplicaLeaderElectionCommand) command=preferred-replica-election ;;
  *.*) echo "kafka-run-class: Vltava has nothing that does what $class does" >&2; exit 1 ;;
  *) command=$class ;;
esac

vltava=$(find_vltava)
if [ -z "$vltava" ] || [ ! -x "$vltava" ]; then
  echo "vltava is not built: run 'cargo build --release' in $base, or point VLTAVA_HOME (or VLTAVA, the program itself) at an installation" >&2
  exit 1
fi

if [ -n "$daemon" ]; then
  mkdir -p "$LOG_DIR" || exit 1
  # Servers write and roll their log themselves; what they say beside it begins anew with each start, as in Kafka.
  case $command in server | zookeeper) set -- --log-file "$LOG_DIR/$command.log" "$@" ;; esac
  # A session of its own: closing the terminal does not end it.
  setsid nohup "$vltava" "$command" "$@" > "$LOG_DIR/${name:-$command}.out" 2>&1 < /dev/null &
  exit 0
fi
exec "$vltava" "$command" "$@"
