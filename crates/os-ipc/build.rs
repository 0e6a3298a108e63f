//! Tells the sources above `sys` about the abilities of the target, so that they need not check its name.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(system_v_semaphores)");
    // semtimedop(2), and a kernel that keeps undos: darwin has neither.
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo::rustc-cfg=system_v_semaphores");
    }
}
