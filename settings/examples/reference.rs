//! Writes `docs/configuration.md` from the settings table: `cargo run -p vltava-settings --example reference`.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    std::fs::create_dir_all(&docs)?;
    std::fs::write(docs.join("configuration.md"), vltava_settings::reference())
}
