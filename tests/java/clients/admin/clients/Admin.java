package clients;

import java.util.Collections;
import java.util.Properties;
import java.util.concurrent.TimeUnit;

import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;

/** What came with 0.11: topics made by the admin client, and record headers. */
final class Admin {
    private Admin() {}

    static void create(String bootstrap, String topic, int partitions) throws Exception {
        Properties p = new Properties();
        p.put("bootstrap.servers", bootstrap);
        AdminClient admin = AdminClient.create(p);
        admin.createTopics(Collections.singleton(new NewTopic(topic, partitions, (short) 1))).all().get(60, TimeUnit.SECONDS);
        admin.close();
    }

    static String text(Headers headers) {
        StringBuilder text = new StringBuilder();
        for (Header header : headers) {
            text.append(text.length() == 0 ? "" : ",").append(header.key()).append('=').append(new String(header.value()));
        }
        return text.toString();
    }
}
