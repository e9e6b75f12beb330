"""The test program on kafka-python. Commands and lines are those of the Java programs beside it."""

import signal
import sys

from kafka import ConsumerRebalanceListener, KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic


def line(*fields):
    sys.stdout.write("\t".join(str(field) for field in fields) + "\n")
    sys.stdout.flush()


def value(key, n):
    return key + " Řeka 明天" + " teče dál" * (n % 40)


def create(bootstrap, topic, partitions):
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.create_topics([NewTopic(topic, int(partitions), 1)])
    admin.close()
    line("created", topic)


def produce(bootstrap, topic, codecs, count, tag, time):
    count, time = int(count), int(time)
    for codec in codecs.split(","):
        producer = KafkaProducer(
            bootstrap_servers=bootstrap,
            acks="all",
            linger_ms=10,
            compression_type=None if codec == "none" else codec,
            max_in_flight_requests_per_connection=1,
        )
        sent = []
        for n in range(count):
            key = f"{tag}.{codec}.{n}"
            future = producer.send(
                topic,
                partition=n % 3,
                key=key.encode(),
                value=value(key, n).encode(),
                headers=[("tag", tag.encode())],
                timestamp_ms=time + n,
            )
            sent.append((key, future))
        producer.flush()
        for key, future in sent:
            metadata = future.get(timeout=120)
            line("acked", metadata.partition, metadata.offset, key)
        producer.close()
        time += count


class Assignments(ConsumerRebalanceListener):
    def on_partitions_revoked(self, revoked):
        pass

    def on_partitions_assigned(self, assigned):
        line("assigned", ",".join(str(p) for p in sorted(a.partition for a in assigned)) or "-")


def consume(bootstrap, topic, group):
    leaving = []
    signal.signal(signal.SIGTERM, lambda *_: leaving.append(True))
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        metadata_max_age_ms=2000,
        heartbeat_interval_ms=500,
        session_timeout_ms=20000,
    )
    consumer.subscribe([topic], listener=Assignments())
    while not leaving:
        records = consumer.poll(timeout_ms=100)
        for batch in records.values():
            for r in batch:
                headers = ",".join(f"{name}={content.decode()}" for name, content in r.headers)
                line("record", r.partition, r.offset, r.timestamp, r.key.decode(), r.value.decode(), headers)
        if records:
            consumer.commit()
    consumer.close()
    line("left")


def offsets(bootstrap, topic, *times):
    consumer = KafkaConsumer(bootstrap_servers=bootstrap)
    partitions = [TopicPartition(topic, p) for p in sorted(consumer.partitions_for_topic(topic))]
    for time in map(int, times):
        if time == -2:
            found = consumer.beginning_offsets(partitions)
        elif time == -1:
            found = consumer.end_offsets(partitions)
        else:
            answer = consumer.offsets_for_times({p: time for p in partitions})
            found = {p: -1 if at is None else at.offset for p, at in answer.items()}
        for p, offset in found.items():
            line("offset", p.partition, time, offset)
    consumer.close()


if __name__ == "__main__":
    commands = {"create": create, "produce": produce, "consume": consume, "offsets": offsets}
    commands[sys.argv[1]](*sys.argv[2:])
