//! Writes `crds/` from the resources' types: `cargo run -p vltava-operator --example crds`.

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crds");
    std::fs::create_dir_all(&folder)?;
    for (name, content) in vltava_operator::definitions()? {
        std::fs::write(folder.join(name), content)?;
    }
    Ok(())
}
