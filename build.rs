//! Links the addon as a Node-API module; used by `crates/os-ipc-node`.

fn main() {
    napi_build::setup();
}
