import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.storage.internals.log.LogConfig;

/**
 * Answers one question a line. "properties TEXT": the entries that java.util.Properties loads, sorted. "broker NAME VALUE" and
 * "topic NAME VALUE": the value as Kafka parses and shows it. All texts are in Base64, answers begin with "ok" or "error".
 */
public final class Oracle {
    public static void main(String[] args) throws Exception {
        ConfigDef broker = kafka.server.KafkaConfig$.MODULE$.configDef();
        ConfigDef topic = LogConfig.configDefCopy();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] question = line.split(" ", -1);
            String answer;
            try {
                answer = "ok " + (question[0].equals("properties")
                    ? properties(decode(question[1]))
                    : encode(value(question[0].equals("broker") ? broker : topic, decode(question[1]), decode(question[2]))));
            } catch (Exception error) {
                answer = "error " + encode(String.valueOf(error.getMessage()));
            }
            out.println(answer);
            out.flush();
        }
    }

    private static String properties(String text) throws Exception {
        Properties loaded = new Properties();
        loaded.load(new StringReader(text));
        StringBuilder entries = new StringBuilder();
        for (Map.Entry<Object, Object> entry : new TreeMap<>(loaded).entrySet()) {
            entries.append(encode((String) entry.getKey())).append(':').append(encode((String) entry.getValue())).append(';');
        }
        return entries.toString();
    }

    private static String value(ConfigDef definitions, String name, String text) {
        ConfigDef.ConfigKey key = definitions.configKeys().get(name);
        Object parsed = ConfigDef.parseType(name, text, key.type);
        if (key.validator != null) key.validator.ensureValid(name, parsed);
        return String.valueOf(ConfigDef.convertToString(parsed, key.type));
    }

    private static String decode(String text) {
        return new String(Base64.getDecoder().decode(text), StandardCharsets.UTF_8);
    }

    private static String encode(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }
}
