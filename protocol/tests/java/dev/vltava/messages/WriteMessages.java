package dev.vltava.messages;

import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;

/**
 * Writes random messages with Kafka's own generated classes: for each name on the command line, each version and each sample the name,
 * the version, the length and the bytes. Arguments: a seed, samples a version, names.
 *
 * <p>Which fields a version carries and which may be null is asked of the schemas inside the classes.
 */
public final class WriteMessages {
    private static final String[] PACKAGES = {
        "org.apache.kafka.common.message.%sData",
        "org.apache.kafka.common.message.%s",
        "org.apache.kafka.coordinator.group.generated.%s",
        "org.apache.kafka.coordinator.transaction.generated.%s",
    };

    private final Random random;

    private WriteMessages(long seed) {
        random = new Random(seed);
    }

    public static void main(String[] arguments) throws Exception {
        DataOutputStream out = new DataOutputStream(new BufferedOutputStream(System.out, 1 << 16));
        long seed = Long.parseLong(arguments[0]);
        int samples = Integer.parseInt(arguments[1]);
        for (int i = 2; i < arguments.length; i++) {
            new WriteMessages(seed + i).write(arguments[i], samples, out);
        }
        out.flush();
    }

    private void write(String name, int samples, DataOutputStream out) throws Exception {
        Class<?> type = find(name);
        if (type == null) {
            return;
        }
        Message empty = (Message) type.getDeclaredConstructor().newInstance();
        for (short version = empty.lowestSupportedVersion(); version <= empty.highestSupportedVersion(); version++) {
            for (int sample = 0; sample < samples; sample++) {
                Message message = (Message) type.getDeclaredConstructor().newInstance();
                fill(message, version);
                emit(name, version, message, out);
            }
        }
    }

    private static Class<?> find(String name) {
        for (String pattern : PACKAGES) {
            try {
                return Class.forName(String.format(pattern, name));
            } catch (ClassNotFoundException e) {
                // The next one.
            }
        }
        return null;
    }

    private static void emit(String name, short version, Message message, DataOutputStream out) throws IOException {
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ByteBuffer buffer = ByteBuffer.allocate(message.size(cache, version));
        message.write(new ByteBufferAccessor(buffer), cache, version);
        if (buffer.hasRemaining()) {
            throw new IllegalStateException(name + " v" + version + " is shorter than its size");
        }
        out.writeUTF(name);
        out.writeShort(version);
        out.writeInt(buffer.capacity());
        out.write(buffer.array());
    }

    private void fill(Message message, short version) throws ReflectiveOperationException {
        Schema[] schemas = (Schema[]) message.getClass().getField("SCHEMAS").get(null);
        Map<String, Field> fields = new HashMap<>();
        for (Field field : message.getClass().getDeclaredFields()) {
            if (!Modifier.isStatic(field.getModifiers())) {
                field.setAccessible(true);
                fields.put(field.getName().toLowerCase(), field);
            }
        }
        boolean flexible = false;
        for (BoundField bound : schemas[version].fields()) {
            if (bound.def.type instanceof TaggedFields tagged) {
                flexible = true;
                for (var known : knownTags(tagged)) {
                    if (random.nextInt(3) > 0) {
                        set(message, fields, known.name, known.type, version);
                    }
                }
            } else {
                set(message, fields, bound.def.name, bound.def.type, version);
            }
        }
        if (flexible && random.nextInt(4) == 0) {
            int tag = 50;
            for (int count = 1 + random.nextInt(2); count > 0; count--) {
                tag += 1 + random.nextInt(200);
                message.unknownTaggedFields().add(
                    new org.apache.kafka.common.protocol.types.RawTaggedField(tag, bytes()));
            }
        }
    }

    @SuppressWarnings("unchecked")
    private static Collection<org.apache.kafka.common.protocol.types.Field> knownTags(TaggedFields tagged)
            throws ReflectiveOperationException {
        Field fields = TaggedFields.class.getDeclaredField("fields");
        fields.setAccessible(true);
        return ((Map<Integer, org.apache.kafka.common.protocol.types.Field>) fields.get(tagged)).values();
    }

    private void set(Message message, Map<String, Field> fields, String name, Type type, short version)
            throws ReflectiveOperationException {
        Field field = fields.get(name.replace("_", "").toLowerCase());
        if (field == null) {
            throw new IllegalStateException(message.getClass() + " has no field " + name);
        }
        if (type.isNullable() && random.nextInt(3) == 0) {
            field.set(message, null);
            return;
        }
        Class<?> element = null;
        if (Collection.class.isAssignableFrom(field.getType())) {
            element = elementOf(field);
        }
        field.set(message, value(field.getType(), element, version));
    }

    private static Class<?> elementOf(Field field) {
        java.lang.reflect.Type generic = field.getGenericType();
        if (!(generic instanceof ParameterizedType)) {
            // A collection class of its own, such as ApiVersionCollection.
            generic = field.getType().getGenericSuperclass();
        }
        return (Class<?>) ((ParameterizedType) generic).getActualTypeArguments()[0];
    }

    @SuppressWarnings("unchecked")
    private Object value(Class<?> type, Class<?> element, short version) throws ReflectiveOperationException {
        if (element != null) {
            Collection<Object> elements = type == List.class
                ? new ArrayList<>()
                : (Collection<Object>) type.getDeclaredConstructor().newInstance();
            for (int count = random.nextInt(4); count > 0; count--) {
                elements.add(value(element, null, version));
            }
            return elements;
        }
        if (type == boolean.class) {
            return random.nextBoolean();
        } else if (type == byte.class || type == Byte.class) {
            return (byte) number();
        } else if (type == short.class || type == Short.class) {
            return (short) number();
        } else if (type == int.class || type == Integer.class) {
            return (int) number();
        } else if (type == long.class || type == Long.class) {
            return number();
        } else if (type == double.class) {
            return random.nextGaussian() * 1000;
        } else if (type == String.class) {
            return text();
        } else if (type == Uuid.class) {
            return new Uuid(random.nextLong(), random.nextLong());
        } else if (type == byte[].class) {
            return bytes();
        } else if (type == ByteBuffer.class) {
            return ByteBuffer.wrap(bytes());
        } else if (type.getSimpleName().equals("BaseRecords")) {
            // The codec copies records; what is in them is the business of other tests. 4.x moved the class beside its interface.
            return Class.forName(type.getPackageName() + ".MemoryRecords")
                .getMethod("readableRecords", ByteBuffer.class)
                .invoke(null, ByteBuffer.wrap(bytes()));
        } else if (Message.class.isAssignableFrom(type)) {
            Message inner = (Message) type.getDeclaredConstructor().newInstance();
            fill(inner, version);
            return inner;
        }
        throw new IllegalStateException("no random value for " + type);
    }

    /** Small, negative and huge numbers alike. */
    private long number() {
        return random.nextLong() >> random.nextInt(64);
    }

    private String text() {
        String[] words = {"", "orders", "my-topic.v1", "a", "Čeština řeka Vltava", "\uD83D\uDE00", "x".repeat(200)};
        return words[random.nextInt(words.length)] + (random.nextBoolean() ? "" : Integer.toString(random.nextInt(1000)));
    }

    private byte[] bytes() {
        byte[] bytes = new byte[random.nextInt(random.nextInt(8) == 0 ? 300 : 12)];
        random.nextBytes(bytes);
        return bytes;
    }
}
