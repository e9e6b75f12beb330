// The test program on franz-go.
package main

import (
	"context"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"vltava.dev/tests/lines"
)

func main() {
	a := os.Args[1:]
	bootstrap := kgo.SeedBrokers(strings.Split(a[1], ",")...)
	switch a[0] {
	case "create":
		create(bootstrap, a[2], int32(lines.Number(a[3])))
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

func client(options ...kgo.Opt) *kgo.Client {
	made, err := kgo.NewClient(options...)
	lines.Must(err)
	return made
}

func create(bootstrap kgo.Opt, topic string, partitions int32) {
	admin := kadm.NewClient(client(bootstrap))
	defer admin.Close()
	_, err := admin.CreateTopic(context.Background(), partitions, 1, nil, topic)
	lines.Must(err)
	lines.Print("created", topic)
}

var codecs = map[string]kgo.CompressionCodec{
	"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
	"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
}

func produce(bootstrap kgo.Opt, topic, codec string, count int, tag string, first int64) {
	producer := client(bootstrap, kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(codecs[codec]), kgo.ProducerLinger(10*time.Millisecond))
	defer producer.Close()
	var records []*kgo.Record
	for n := range count {
		key := lines.Key(tag, codec, n)
		records = append(records, &kgo.Record{
			Topic: topic, Partition: int32(n % 3), Key: []byte(key), Value: []byte(lines.Value(key, n)),
			Timestamp: time.UnixMilli(first + int64(n)), Headers: []kgo.RecordHeader{{Key: "tag", Value: []byte(tag)}},
		})
	}
	for _, result := range producer.ProduceSync(context.Background(), records...) {
		lines.Must(result.Err)
		lines.Print("acked", result.Record.Partition, result.Record.Offset, string(result.Record.Key))
	}
}

func consume(bootstrap kgo.Opt, topic, group string) {
	leaving, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	owned := map[int32]bool{}
	// The default balancer is cooperative: what is told is what was added or taken, so the whole is kept here.
	changed := func(now bool) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
			for _, partition := range partitions[topic] {
				if now {
					owned[partition] = true
				} else {
					delete(owned, partition)
				}
			}
			var all []int32
			for partition := range owned {
				all = append(all, partition)
			}
			if leaving.Err() == nil {
				lines.Assigned(all)
			}
		}
	}
	consumer := client(bootstrap, kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.MetadataMaxAge(2*time.Second), kgo.MetadataMinAge(100*time.Millisecond),
		kgo.HeartbeatInterval(500*time.Millisecond), kgo.SessionTimeout(20*time.Second),
		kgo.OnPartitionsAssigned(changed(true)), kgo.OnPartitionsRevoked(changed(false)), kgo.OnPartitionsLost(changed(false)))
	for {
		fetches := consumer.PollFetches(leaving)
		if leaving.Err() != nil {
			break
		}
		for _, failed := range fetches.Errors() {
			lines.Must(failed.Err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			var headers []string
			for _, header := range r.Headers {
				headers = append(headers, header.Key+"="+string(header.Value))
			}
			lines.Print("record", r.Partition, r.Offset, r.Timestamp.UnixMilli(), string(r.Key), string(r.Value), strings.Join(headers, ","))
		})
		lines.Must(consumer.CommitRecords(context.Background(), fetches.Records()...))
		consumer.AllowRebalance()
	}
	consumer.CloseAllowingRebalance()
	lines.Print("left")
}

func offsets(bootstrap kgo.Opt, topic string, at int64) {
	admin := kadm.NewClient(client(bootstrap))
	defer admin.Close()
	var listed kadm.ListedOffsets
	var err error
	switch at {
	case -2:
		listed, err = admin.ListStartOffsets(context.Background(), topic)
	case -1:
		listed, err = admin.ListEndOffsets(context.Background(), topic)
	default:
		listed, err = admin.ListOffsetsAfterMilli(context.Background(), at, topic)
	}
	lines.Must(err)
	lines.Must(listed.Error())
	listed.Each(func(o kadm.ListedOffset) { lines.Print("offset", o.Partition, at, o.Offset) })
}
