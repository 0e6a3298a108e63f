//! `create PREFIX INITIAL`: creates PREFIX-0, PREFIX-1, ... and removes each after creating the next one, until it is
//! killed. It prints the number before it begins. For `npm run stress`.

use std::io::Write;

use os_ipc::{Backend, Creation, Owner, Semaphore, SemaphoreId};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [prefix, initial] = &arguments[..] else { return Err("create PREFIX INITIAL".into()) };
    let creation = Creation { initial: initial.parse()?, mode: 0o600 };
    let mut before: Option<Semaphore> = None;
    for number in 0_u64.. {
        writeln!(std::io::stdout(), "{number}")?;
        let id = SemaphoreId::named(&format!("{prefix}-{number}"), Backend::SystemV)?;
        let semaphore = Semaphore::open_or_create(&id, creation, Owner::Default)?;
        if let Some(before) = before.replace(semaphore) {
            before.unlink()?;
        }
    }
    Ok(())
}
