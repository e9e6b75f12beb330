//! SIGINT and SIGTERM in a tool that works on threads of its own.

use std::sync::{
    Arc,
    atomic::{AtomicI32, Ordering},
};

use tokio::signal::unix::{SignalKind, signal};

use super::failure::Failure;

/// Calls `stop` with the process's exit code (130 or 143, a JVM's) at the first signal, on a thread of its own.
pub(crate) fn on_stop(stop: impl FnOnce(i32) + Send + 'static) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::new("java.lang.InternalError", format!("signals: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let (mut interrupt, mut terminate) = {
        let _in = runtime.enter();
        (signal(SignalKind::interrupt()).map_err(failed)?, signal(SignalKind::terminate()).map_err(failed)?)
    };
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            let code = runtime.block_on(async {
                tokio::select! {
                    _ = interrupt.recv() => 130,
                    _ = terminate.recv() => 143,
                }
            });
            stop(code);
        })
        .map(|_| ())
        .map_err(failed)
}

/// A flag that a signal raises.
#[derive(Debug, Clone)]
pub(crate) struct Stop(Arc<AtomicI32>);

impl Stop {
    /// Takes the signals over.
    pub(crate) fn new() -> Result<Self, Failure> {
        let code = Arc::new(AtomicI32::new(0));
        let raised = code.clone();
        on_stop(move |signal| raised.store(signal, Ordering::Release))?;
        Ok(Self(code))
    }

    /// The exit code of the signal that came, if one did.
    pub(crate) fn code(&self) -> Option<u8> {
        u8::try_from(self.0.load(Ordering::Acquire)).ok().filter(|code| *code != 0)
    }
}
