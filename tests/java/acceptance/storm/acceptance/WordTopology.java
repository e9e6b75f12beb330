package acceptance;

import java.util.Map;
import java.util.TreeMap;

import backtype.storm.Config;
import backtype.storm.LocalCluster;
import backtype.storm.spout.SchemeAsMultiScheme;
import backtype.storm.topology.BasicOutputCollector;
import backtype.storm.topology.OutputFieldsDeclarer;
import backtype.storm.topology.TopologyBuilder;
import backtype.storm.topology.base.BaseBasicBolt;
import backtype.storm.tuple.Fields;
import backtype.storm.tuple.Tuple;
import backtype.storm.tuple.Values;
import storm.kafka.KafkaSpout;
import storm.kafka.SpoutConfig;
import storm.kafka.StringScheme;
import storm.kafka.ZkHosts;

/**
 * KafkaSpout, a bolt that splits and bolts that count, in a LocalCluster. After each word it prints all counts, and it runs until it is killed.
 *
 * <pre>
 * WordTopology ZOOKEEPER TOPIC
 * </pre>
 */
public final class WordTopology {
    private static final Map<String, Integer> COUNTS = new TreeMap<String, Integer>();

    private WordTopology() {}

    /** Splits a message into its words. */
    public static final class Split extends BaseBasicBolt {
        @Override
        public void execute(Tuple message, BasicOutputCollector collector) {
            for (String word : message.getString(0).split(" ")) {
                collector.emit(new Values(word));
            }
        }

        @Override
        public void declareOutputFields(OutputFieldsDeclarer declarer) {
            declarer.declare(new Fields("word"));
        }
    }

    /** Counts words, for all its tasks together. */
    public static final class Count extends BaseBasicBolt {
        @Override
        public void execute(Tuple word, BasicOutputCollector collector) {
            synchronized (COUNTS) {
                Integer before = COUNTS.get(word.getString(0));
                COUNTS.put(word.getString(0), before == null ? 1 : before + 1);
                System.out.println("counts\t" + COUNTS);
            }
        }

        @Override
        public void declareOutputFields(OutputFieldsDeclarer declarer) {}
    }

    public static void main(String[] a) throws Exception {
        SpoutConfig spout = new SpoutConfig(new ZkHosts(a[0]), a[1], "/kafka-storm-" + a[1], "kafka-storm");
        spout.scheme = new SchemeAsMultiScheme(new StringScheme());
        spout.startOffsetTime = kafka.api.OffsetRequest.EarliestTime();
        TopologyBuilder topology = new TopologyBuilder();
        topology.setSpout("words", new KafkaSpout(spout), 1);
        topology.setBolt("split", new Split(), 2).shuffleGrouping("words");
        topology.setBolt("count", new Count(), 2).fieldsGrouping("split", new Fields("word"));
        Config config = new Config();
        config.setMaxTaskParallelism(3);
        new LocalCluster().submitTopology("kafka-storm", config, topology.createTopology());
    }
}
