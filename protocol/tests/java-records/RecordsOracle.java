import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.CompressionType;
import org.apache.kafka.common.record.MemoryRecords;
import org.apache.kafka.common.record.MemoryRecordsBuilder;
import org.apache.kafka.common.record.MutableRecordBatch;
import org.apache.kafka.common.record.Record;
import org.apache.kafka.common.record.RecordBatch;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.utils.BufferSupplier;
import org.apache.kafka.common.utils.PrimitiveRef;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.server.common.MetadataVersion;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.LogValidator;

/**
 * What Apache Kafka's own classes make of record data.
 *
 * For each file of the folder ours/ written by the test, and each that this program writes to java/: NAME.txt, its contents as
 * Kafka reads them; NAME.to0 and NAME.to1, its down-conversions; and for each line of ours/validate.list, what LogValidator
 * makes of a file.
 */
public final class RecordsOracle {
    private static final HexFormat HEX = HexFormat.of();
    private static final Time FROZEN = new Time() {
        public long milliseconds() { return 1_700_000_000_000L; }
        public long nanoseconds() { return 0; }
        public long hiResClockMs() { return 1_700_000_000_000L; }
        public void sleep(long ms) { }
        public void waitObject(Object o, java.util.function.Supplier<Boolean> s, long d) { }
    };

    public static void main(String[] args) throws Exception {
        Path root = Path.of(args[0]);
        Path java = Files.createDirectories(root.resolve("java"));
        for (byte magic = 0; magic <= 2; magic++)
            for (CompressionType codec : CompressionType.values())
                if (codec != CompressionType.ZSTD || magic == 2)
                    for (TimestampType type : List.of(TimestampType.CREATE_TIME, TimestampType.LOG_APPEND_TIME))
                        if (magic > 0 || type == TimestampType.CREATE_TIME)
                            Files.write(java.resolve("m" + magic + "-" + codec.name + "-" + type + ".bin"), sample(magic, codec, type));
        for (Path folder : List.of(java, root.resolve("ours"))) {
            List<Path> files;
            try (Stream<Path> found = Files.list(folder)) {
                files = found.filter(f -> f.toString().endsWith(".bin")).collect(Collectors.toList());
            }
            for (Path file : files) describe(file);
        }
        Path list = root.resolve("ours/validate.list");
        if (Files.exists(list))
            for (String line : Files.readAllLines(list)) validate(root, line);
    }

    /** The records that the Rust side builds too: see `sample` there. */
    private static byte[] sample(byte magic, CompressionType codec, TimestampType type) {
        boolean idempotent = magic == 2;
        MemoryRecordsBuilder builder = MemoryRecords.builder(ByteBuffer.allocate(1 << 16), magic, Compression.of(codec).build(), type,
            100L, 1_600_000_009_999L, idempotent ? 77L : -1L, (short) (idempotent ? 3 : -1), idempotent ? 12 : -1, false, 5);
        for (int i = 0; i < 300; i++) {
            byte[] key = i % 3 == 0 ? null : ("key-" + i).getBytes(StandardCharsets.UTF_8);
            byte[] value = i % 7 == 3 ? null : ("value " + i + " ").repeat(i % 20).getBytes(StandardCharsets.UTF_8);
            Header[] headers = new Header[magic == 2 ? i % 4 : 0];
            for (int h = 0; h < headers.length; h++)
                headers[h] = new RecordHeader("h" + h, h == 1 ? null : ("v" + i).getBytes(StandardCharsets.UTF_8));
            builder.appendWithOffset(100 + i, magic == 0 ? -1L : 1_600_000_000_000L + (i * 37) % 1000, key, value, headers);
        }
        builder.close();
        return bytes(builder.build());
    }

    private static byte[] bytes(MemoryRecords records) {
        ByteBuffer buffer = records.buffer().duplicate();
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return bytes;
    }

    private static MemoryRecords read(Path file) throws Exception {
        return MemoryRecords.readableRecords(ByteBuffer.wrap(Files.readAllBytes(file)));
    }

    private static void describe(Path file) throws Exception {
        MemoryRecords records = read(file);
        String name = file.toString().replaceAll("\\.bin$", "");
        Files.writeString(Path.of(name + ".txt"), text(records));
        for (byte magic = 0; magic <= 1; magic++)
            for (long from : new long[] {0, 250}) {
                Path converted = Path.of(name + ".to" + magic + "from" + from);
                try {
                    Files.write(converted, bytes(records.downConvert(magic, from, FROZEN).records()));
                } catch (Exception e) {
                    Files.writeString(Path.of(converted + ".error"), e.getClass().getSimpleName());
                }
            }
    }

    private static String text(MemoryRecords records) {
        StringBuilder out = new StringBuilder();
        for (MutableRecordBatch batch : records.batches()) {
            batch.ensureValid();
            out.append("batch ").append(batch.magic()).append(' ').append(batch.compressionType().name).append(' ')
                .append(batch.lastOffset()).append(' ').append(batch.maxTimestamp()).append(' ').append(batch.timestampType()).append(' ')
                .append(batch.producerId()).append(' ').append(batch.producerEpoch()).append(' ').append(batch.baseSequence()).append(' ')
                .append(batch.isTransactional()).append(' ').append(batch.isControlBatch()).append('\n');
            for (Record record : batch) {
                record.ensureValid();
                out.append(record.offset()).append(' ').append(record.timestamp()).append(' ')
                    .append(hex(record.key())).append(' ').append(hex(record.value()));
                for (Header header : record.headers())
                    out.append(' ').append(header.key()).append('=')
                        .append(header.value() == null ? "null" : HEX.formatHex(header.value()));
                out.append('\n');
            }
        }
        return out.toString();
    }

    private static String hex(ByteBuffer buffer) {
        if (buffer == null) return "null";
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return "x" + HEX.formatHex(bytes);
    }

    /** A line: case, file, target codec or "producer", target magic, timestamp type, compacted, before ms, after ms, origin. */
    private static void validate(Path root, String line) throws Exception {
        String[] f = line.split(" ");
        MemoryRecords records = read(root.resolve("ours").resolve(f[1]));
        CompressionType source = CompressionType.NONE;
        for (RecordBatch batch : records.batches())
            if (batch.compressionType() != CompressionType.NONE) source = batch.compressionType();
        CompressionType target = f[2].equals("producer") ? source : CompressionType.forName(f[2]);
        LogValidator validator = new LogValidator(records, new TopicPartition("t", 0), FROZEN, source, Compression.of(target).build(),
            Boolean.parseBoolean(f[5]), Byte.parseByte(f[3]), TimestampType.forName(f[4]), Long.parseLong(f[6]), Long.parseLong(f[7]), 7,
            AppendOrigin.valueOf(f[8]), MetadataVersion.LATEST_PRODUCTION);
        String answer;
        try {
            LogValidator.ValidationResult result = validator.validateMessagesAndAssignOffsets(PrimitiveRef.ofLong(1000), new NoMetrics(), BufferSupplier.NO_CACHING);
            answer = text(result.validatedRecords);
        } catch (org.apache.kafka.common.errors.ApiException e) {
            answer = "error " + org.apache.kafka.common.protocol.Errors.forException(e).code() + "\n";
        } catch (org.apache.kafka.storage.internals.log.RecordValidationException e) {
            answer = "error " + org.apache.kafka.common.protocol.Errors.forException(e.invalidException()).code() + " "
                + e.recordErrors().stream().map(r -> Integer.toString(r.batchIndex)).collect(Collectors.joining(",")) + "\n";
        }
        Files.writeString(root.resolve("ours").resolve(f[0] + ".validated"), answer);
    }

    private static final class NoMetrics implements LogValidator.MetricsRecorder {
        public void recordInvalidMagic() { }
        public void recordInvalidOffset() { }
        public void recordInvalidSequence() { }
        public void recordInvalidChecksums() { }
        public void recordNoKeyCompactedTopic() { }
    }
}
