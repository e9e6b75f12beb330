// The test program on sarama.
package main

import (
	"context"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/IBM/sarama"

	"vltava.dev/tests/lines"
)

func main() {
	a := os.Args[1:]
	bootstrap := strings.Split(a[1], ",")
	switch a[0] {
	case "create":
		admin, err := sarama.NewClusterAdmin(bootstrap, configuration())
		lines.Must(err)
		lines.Must(admin.CreateTopic(a[2], &sarama.TopicDetail{NumPartitions: int32(lines.Number(a[3])), ReplicationFactor: 1}, false))
		lines.Must(admin.Close())
		lines.Print("created", a[2])
	case "produce":
		count, first := int(lines.Number(a[4])), lines.Number(a[6])
		for i, codec := range strings.Split(a[3], ",") {
			produce(bootstrap, a[2], codec, count, a[5], first+int64(i*count))
		}
	case "consume":
		consume(bootstrap, a[2], a[3])
	case "offsets":
		for _, at := range a[3:] {
			offsets(bootstrap, a[2], lines.Number(at))
		}
	}
}

func configuration() *sarama.Config {
	c := sarama.NewConfig()
	c.Version = sarama.MaxVersion
	c.Metadata.RefreshFrequency = 2 * time.Second
	c.Producer.RequiredAcks = sarama.WaitForAll
	c.Producer.Return.Successes = true
	c.Producer.Partitioner = sarama.NewManualPartitioner
	c.Producer.Flush.Frequency = 10 * time.Millisecond
	c.Net.MaxOpenRequests = 1
	c.Consumer.Offsets.Initial = sarama.OffsetOldest
	c.Consumer.Offsets.AutoCommit.Enable = false
	c.Consumer.Group.Heartbeat.Interval = 500 * time.Millisecond
	c.Consumer.Group.Session.Timeout = 20 * time.Second
	return c
}

var codecs = map[string]sarama.CompressionCodec{
	"none": sarama.CompressionNone, "gzip": sarama.CompressionGZIP, "snappy": sarama.CompressionSnappy,
	"lz4": sarama.CompressionLZ4, "zstd": sarama.CompressionZSTD,
}

func produce(bootstrap []string, topic, codec string, count int, tag string, first int64) {
	c := configuration()
	c.Producer.Compression = codecs[codec]
	producer, err := sarama.NewSyncProducer(bootstrap, c)
	lines.Must(err)
	var messages []*sarama.ProducerMessage
	for n := range count {
		key := lines.Key(tag, codec, n)
		messages = append(messages, &sarama.ProducerMessage{
			Topic: topic, Partition: int32(n % 3), Key: sarama.StringEncoder(key), Value: sarama.StringEncoder(lines.Value(key, n)),
			Timestamp: time.UnixMilli(first + int64(n)), Headers: []sarama.RecordHeader{{Key: []byte("tag"), Value: []byte(tag)}},
		})
	}
	lines.Must(producer.SendMessages(messages))
	for n, message := range messages {
		lines.Print("acked", message.Partition, message.Offset, lines.Key(tag, codec, n))
	}
	lines.Must(producer.Close())
}

// member prints and commits what its claims bring.
type member struct{ topic string }

func (m member) Setup(session sarama.ConsumerGroupSession) error {
	lines.Assigned(append([]int32{}, session.Claims()[m.topic]...))
	return nil
}

func (m member) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (m member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case message, more := <-claim.Messages():
			if !more {
				return nil
			}
			var headers []string
			for _, header := range message.Headers {
				headers = append(headers, string(header.Key)+"="+string(header.Value))
			}
			lines.Print("record", message.Partition, message.Offset, message.Timestamp.UnixMilli(), string(message.Key),
				string(message.Value), strings.Join(headers, ","))
			session.MarkMessage(message, "")
			session.Commit()
		case <-session.Context().Done():
			return nil
		}
	}
}

func consume(bootstrap []string, topic, group string) {
	leaving, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	members, err := sarama.NewConsumerGroup(bootstrap, group, configuration())
	lines.Must(err)
	for leaving.Err() == nil {
		lines.Must(members.Consume(leaving, []string{topic}, member{topic}))
	}
	lines.Must(members.Close())
	lines.Print("left")
}

func offsets(bootstrap []string, topic string, at int64) {
	client, err := sarama.NewClient(bootstrap, configuration())
	lines.Must(err)
	partitions, err := client.Partitions(topic)
	lines.Must(err)
	for _, partition := range partitions {
		offset, err := client.GetOffset(topic, partition, at)
		lines.Must(err)
		lines.Print("offset", partition, at, offset)
	}
	lines.Must(client.Close())
}
