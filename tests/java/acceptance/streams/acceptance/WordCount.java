package acceptance;

import java.util.Arrays;
import java.util.Locale;
import java.util.Properties;

import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.KStreamBuilder;

/**
 * The word count of the 0.11 Streams quickstart, on its topics. Without a cache every word is an update of its own.
 *
 * <pre>
 * WordCount BROKERS STATE_DIRECTORY GUARANTEE
 * </pre>
 */
public final class WordCount {
    private WordCount() {}

    public static void main(String[] a) {
        Properties properties = new Properties();
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, "streams-wordcount");
        properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, a[0]);
        properties.put(StreamsConfig.STATE_DIR_CONFIG, a[1]);
        properties.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, a[2]);
        properties.put(StreamsConfig.CACHE_MAX_BYTES_BUFFERING_CONFIG, 0);
        properties.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.String().getClass());
        properties.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.String().getClass());
        properties.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");

        KStreamBuilder topology = new KStreamBuilder();
        topology.<String, String>stream("streams-plaintext-input")
                .flatMapValues(line -> Arrays.asList(line.toLowerCase(Locale.ROOT).trim().split("\\s+")))
                .groupBy((key, word) -> word)
                .count("Counts")
                .to(Serdes.String(), Serdes.Long(), "streams-wordcount-output");

        final KafkaStreams streams = new KafkaStreams(topology, properties);
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
    }
}
