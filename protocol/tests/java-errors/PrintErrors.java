import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.protocol.Errors;

/** Prints each error code of a release: number, name, whether its exception may be retried, message; a tab between them. */
public final class PrintErrors {
    private PrintErrors() {}

    public static void main(String[] arguments) {
        for (Errors error : Errors.values()) {
            String message = error == Errors.NONE ? "" : error.message();
            boolean retriable = error.exception() instanceof RetriableException;
            System.out.println(error.code() + "\t" + error.name() + "\t" + retriable + "\t" + message);
        }
    }
}
