package clients;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.io.UnsupportedEncodingException;
import java.nio.charset.Charset;
import java.util.Collection;
import java.util.TreeSet;

/** The lines that every test program prints: a word, then fields, separated by tabs. And the content of the n-th record. */
final class Line {
    private static final Charset UTF_8 = Charset.forName("UTF-8");
    private static final PrintStream OUT = utf8();

    private Line() {}

    private static PrintStream utf8() {
        try {
            return new PrintStream(new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1 << 16), false, "UTF-8");
        } catch (UnsupportedEncodingException e) {
            throw new IllegalStateException(e);
        }
    }

    private static synchronized void print(Object... fields) {
        StringBuilder line = new StringBuilder();
        for (Object field : fields) {
            line.append(line.length() == 0 ? "" : "\t").append(field);
        }
        // One write a line, so that a line of the library's log never falls into it.
        OUT.print(line.append('\n'));
        OUT.flush();
    }

    /** The broker acknowledged a record; an old client that is not told the offset says "-". */
    static void acked(int partition, Object offset, String key) {
        print("acked", partition, offset, key);
    }

    /** A record was read. What the client does not know is "-"; headers are name=value, separated by commas. */
    static void record(int partition, long offset, Object timestamp, byte[] key, byte[] value, String headers) {
        print("record", partition, offset, timestamp, new String(key, UTF_8), new String(value, UTF_8), headers);
    }

    /** The member of the group now owns exactly these partitions. */
    static void assigned(Collection<Integer> partitions) {
        StringBuilder list = new StringBuilder();
        for (int partition : new TreeSet<Integer>(partitions)) {
            list.append(list.length() == 0 ? "" : ",").append(partition);
        }
        print("assigned", list.length() == 0 ? "-" : list);
    }

    /** The offset that the broker names for a time: -2 the earliest, -1 the latest, else milliseconds. */
    static void offset(int partition, long time, long offset) {
        print("offset", partition, time, offset);
    }

    /** The topic was created. */
    static void created(String topic) {
        print("created", topic);
    }

    /** The member left its group with its work committed. */
    static void left() {
        print("left");
    }

    /** The broker or the client refused, in the client's words. */
    static void error(Object error) {
        print("error", String.valueOf(error).replace('\n', ' ').replace('\t', ' '));
    }

    static String key(String tag, String codec, int n) {
        return tag + "." + codec + "." + n;
    }

    /** Compressible text of 0 to 39 repetitions, in more than ASCII. */
    static String value(String key, int n) {
        StringBuilder text = new StringBuilder(key).append(" Řeka 明天");
        for (int i = 0; i < n % 40; i++) {
            text.append(" teče dál");
        }
        return text.toString();
    }

    static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }
}
