//! The group coordinator's shell: `__consumer_offsets`, timers and loading.

/// The consumer groups that this broker coordinates.
#[derive(Debug, Default)]
pub struct Groups {}
