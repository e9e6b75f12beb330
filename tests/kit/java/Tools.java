import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

import org.apache.kafka.common.utils.Exit;

/**
 * Runs command-line tools one after the other in one JVM, which is what most of their time goes into. A line of standard input is
 * one command, its fields separated by U+001F: main class, files for standard input, output and error, then the words. The answer is
 * the exit code.
 */
public final class Tools {
    private static CompletableFuture<Integer> ended;

    /** Where output goes at the moment. Scala keeps the stream that it finds first, so that stream has to stay the same. */
    private static final class Switch extends OutputStream {
        private OutputStream target = OutputStream.nullOutputStream();

        synchronized void to(OutputStream next) throws IOException {
            target.close();
            target = next;
        }

        @Override
        public synchronized void write(int letter) throws IOException {
            target.write(letter);
        }

        @Override
        public synchronized void write(byte[] letters, int from, int count) throws IOException {
            target.write(letters, from, count);
        }
    }

    public static void main(String[] arguments) throws Exception {
        PrintStream answers = System.out;
        Switch out = new Switch();
        Switch err = new Switch();
        System.setOut(new PrintStream(out, true, "UTF-8"));
        System.setErr(new PrintStream(err, true, "UTF-8"));
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        Exit.setExitProcedure((code, message) -> end(code));
        Exit.setHaltProcedure((code, message) -> end(code));
        // ZooKeeper's tools end by their own way.
        Class.forName("org.apache.zookeeper.util.ServiceUtils")
            .getMethod("setSystemExitProcedure", Consumer.class)
            .invoke(null, (Consumer<Integer>) Tools::end);
        for (String line; (line = commands.readLine()) != null; ) {
            String[] fields = line.split("\u001f", -1);
            out.to(new FileOutputStream(fields[2]));
            err.to(new FileOutputStream(fields[3]));
            try (InputStream in = new FileInputStream(fields[1])) {
                System.setIn(in);
                ended = new CompletableFuture<>();
                Thread tool = new Thread(() -> run(fields[0], Arrays.copyOfRange(fields, 4, fields.length)), "main");
                tool.setDaemon(true);
                tool.start();
                int code = ended.get();
                System.out.flush();
                System.err.flush();
                answers.println(code);
            }
        }
    }

    private static void run(String name, String[] words) {
        int code = 0;
        try {
            Method main = Class.forName(name).getMethod("main", String[].class);
            main.invoke(null, (Object) words);
        } catch (InvocationTargetException failure) {
            System.err.print("Exception in thread \"main\" ");
            failure.getCause().printStackTrace();
            code = 1;
        } catch (ReflectiveOperationException failure) {
            failure.printStackTrace();
            code = 1;
        }
        ended.complete(code);
    }

    /** As a JVM that ends: nothing of the tool runs after this, no handler and no finally. */
    private static void end(int code) {
        ended.complete(code);
        while (true) {
            LockSupport.park();
        }
    }
}
