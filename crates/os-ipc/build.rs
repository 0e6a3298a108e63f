//! Tells the sources above `sys` what the target has, so that they need not ask which one it is.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(system_v_semaphores)");
    // semtimedop(2), and undos that are kept: darwin has neither.
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo::rustc-cfg=system_v_semaphores");
    }
}
