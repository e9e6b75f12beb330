import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import java.util.TreeMap;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.server.config.ConfigSynonym;
import org.apache.kafka.server.config.ServerTopicConfigSynonyms;
import org.apache.kafka.storage.internals.log.LogConfig;

/**
 * Prints the official definitions, one key a line: broker or topic, name, type, default, valid values, importance, internal,
 * dynamic mode, broker synonyms of a topic key.
 */
public final class Definitions {
    public static void main(String[] args) {
        Map<String, String> modes = new HashMap<>(kafka.server.DynamicBrokerConfig$.MODULE$.dynamicConfigUpdateModes());
        print("broker", kafka.server.KafkaConfig$.MODULE$.configDef(), modes);
        print("topic", LogConfig.configDefCopy(), new HashMap<>());
    }

    private static void print(String kind, ConfigDef definitions, Map<String, String> modes) {
        for (ConfigDef.ConfigKey key : new TreeMap<>(definitions.configKeys()).values()) {
            String valid = key.validator == null ? "" : key.validator.toString().replace('\n', ' ');
            System.out.println(String.join("\t", kind, key.name, key.type.name(), shown(key.defaultValue), valid,
                key.importance.name(), String.valueOf(key.internalConfig), modes.getOrDefault(key.name, "read-only"),
                kind.equals("topic") ? synonyms(key.name) : ""));
        }
    }

    private static String synonyms(String topicKey) {
        StringJoiner names = new StringJoiner(",");
        for (ConfigSynonym synonym : ServerTopicConfigSynonyms.ALL_TOPIC_CONFIG_SYNONYMS.getOrDefault(topicKey, List.of())) {
            names.add(synonym.name());
        }
        return names.toString();
    }

    private static String shown(Object value) {
        if (value == null) return "null";
        if (value instanceof Class) return ((Class<?>) value).getName();
        if (value instanceof List) {
            StringJoiner items = new StringJoiner(",");
            for (Object item : (List<?>) value) items.add(shown(item));
            return items.toString();
        }
        return value.toString();
    }
}
