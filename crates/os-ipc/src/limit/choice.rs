//! Which engine a name lives in. A name lives in one: a System V set stays, and a ledger makes room for it.

use super::engine::{LimitEngine, Object};
use super::{LimitCreation, LimitId, LimitInfo};
use crate::access::Owner;
use crate::error::{Error, OsCode, Remedy, Result};

/// An open limit, and its engine.
pub(super) struct Chosen {
    pub(super) object: Box<dyn Object>,
    pub(super) engine: LimitEngine,
    pub(super) created: bool,
}

/// The engine that a call asked for, or that of this host: a raw key is that of a System V set.
fn engine_for(id: &LimitId, asked: Option<LimitEngine>) -> Result<LimitEngine> {
    match asked {
        Some(engine) => Ok(engine),
        None if id.is_key() => Ok(LimitEngine::SystemV),
        None => LimitEngine::of_host(),
    }
}

/// The other engine in which this name may live.
fn other_for(id: &LimitId, engine: LimitEngine) -> Option<LimitEngine> {
    if id.is_key() { None } else { engine.other() }
}

fn open_in(engine: LimitEngine, id: &LimitId, owner: Owner) -> Result<Option<Chosen>> {
    match engine.implementation()?.open(id, owner) {
        Ok(object) => Ok(Some(Chosen { object, engine, created: false })),
        Err(error) if error.errno() == Some(OsCode::ENOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The limit in an engine, if it has one; finishes what another creator began.
fn open_or_finish(
    engine: LimitEngine,
    id: &LimitId,
    creation: LimitCreation,
    owner: Owner,
) -> Result<Option<Chosen>> {
    match open_in(engine, id, owner) {
        Ok(Some(found)) if !found.object.is_touched() => {}
        Err(error) if error.remedy() == Some(Remedy::Finish) => {}
        found => return found,
    }
    let (object, created) = engine.implementation()?.open_or_create(id, creation, owner)?;
    Ok(Some(Chosen { object, engine, created }))
}

/// Whether a limit of this name exists in an engine, whoever owns it.
fn exists_in(engine: LimitEngine, id: &LimitId) -> Result<bool> {
    match open_in(engine, id, Owner::Any) {
        Err(error) if error.errno() == Some(OsCode::EACCES) => Ok(true),
        found => found.map(|found| found.is_some()),
    }
}

pub(super) fn create(id: &LimitId, creation: LimitCreation, asked: Option<LimitEngine>) -> Result<Chosen> {
    let engine = engine_for(id, asked)?;
    let other = other_for(id, engine);
    if let Some(other) = other
        && exists_in(other, id)?
    {
        return Err(lives_in(other, id, "create"));
    }
    engine.check_hidden_set(id)?;
    let object = engine.implementation()?.create(id, creation)?;
    match keep_one(id, engine, other, &*object)? {
        Kept::This => Ok(Chosen { object, engine, created: true }),
        Kept::Other(other) => Err(lives_in(other, id, "create")),
    }
}

pub(super) fn open(id: &LimitId, owner: Owner, asked: Option<LimitEngine>) -> Result<Chosen> {
    let engine = engine_for(id, asked)?;
    let error = match engine.implementation()?.open(id, owner) {
        Ok(object) => return Ok(Chosen { object, engine, created: false }),
        Err(error) => error,
    };
    let other = other_for(id, engine).filter(|_| error.errno() == Some(OsCode::ENOENT));
    match other {
        Some(other) if asked.is_none() => open_in(other, id, owner)?.ok_or(error),
        None if asked.is_none() && error.errno() == Some(OsCode::ENOENT) => {
            engine.check_hidden_set(id).and(Err(error))
        }
        Some(other) if exists_in(other, id)? => Err(error.with_hint(elsewhere(other))),
        _ => Err(error),
    }
}

pub(super) fn open_or_create(
    id: &LimitId,
    creation: LimitCreation,
    owner: Owner,
    asked: Option<LimitEngine>,
) -> Result<Chosen> {
    let engine = engine_for(id, asked)?;
    let other = other_for(id, engine);
    loop {
        match open_in(engine, id, owner) {
            Ok(Some(found)) if found.object.is_touched() => return Ok(found),
            Ok(_) => {}
            // Creating it finishes what another creator began.
            Err(error) if error.remedy() == Some(Remedy::Finish) => {}
            Err(error) => return Err(error),
        }
        match other {
            Some(other) if asked.is_none() => {
                if let Some(found) = open_or_finish(other, id, creation, owner)? {
                    return Ok(found);
                }
            }
            Some(other) if exists_in(other, id)? => return Err(lives_in(other, id, "open")),
            _ => {}
        }
        engine.check_hidden_set(id)?;
        let (object, created) = engine.implementation()?.open_or_create(id, creation, owner)?;
        if !created {
            return Ok(Chosen { object, engine, created });
        }
        match keep_one(id, engine, other, &*object)? {
            Kept::This => return Ok(Chosen { object, engine, created }),
            Kept::Other(_) => {}
        }
    }
}

enum Kept {
    This,
    Other(LimitEngine),
}

/// Looks into the other engine after a limit was created: another process may have created it there at the same time.
fn keep_one(
    id: &LimitId,
    engine: LimitEngine,
    other: Option<LimitEngine>,
    object: &dyn Object,
) -> Result<Kept> {
    match other {
        Some(LimitEngine::SystemV) if exists_in(LimitEngine::SystemV, id)? => {
            object.identity().remove()?;
            Ok(Kept::Other(LimitEngine::SystemV))
        }
        Some(ledger @ LimitEngine::Ledger) if engine == LimitEngine::SystemV => {
            // Its creator sees the set when it looks here.
            if let Err(error) = ledger.implementation()?.unlink(id) {
                // Otherwise the caller would get an error, and the set would stay.
                let _ = object.identity().remove();
                return Err(error);
            }
            Ok(Kept::This)
        }
        _ => Ok(Kept::This),
    }
}

pub(super) fn unlink(id: &LimitId, asked: Option<LimitEngine>) -> Result<bool> {
    let engine = engine_for(id, asked)?;
    let removed = engine.implementation()?.unlink(id);
    let other = if asked.is_none() { other_for(id, engine) } else { None };
    let Some(other) = other else {
        if asked.is_none() && matches!(removed, Ok(false)) {
            engine.check_hidden_set(id)?;
        }
        return removed;
    };
    match (removed, other.implementation()?.unlink(id)) {
        (Ok(false), other) => other,
        // What has the name in the other engine is not a limit, or not this user's.
        (removed, _) => removed,
    }
}

/// Every limit that we may read, those of System V first.
pub(super) fn list() -> Result<Vec<LimitInfo>> {
    let engines = LimitEngine::of_this_host().into_iter();
    let lists: Vec<_> = engines.map(|engine| engine.implementation()?.list()).collect::<Result<_>>()?;
    Ok(lists.into_iter().flatten().collect())
}

fn lives_in(engine: LimitEngine, id: &LimitId, act: &str) -> Error {
    Error::system(format!("cannot {act} the limit"), "open", id, OsCode::EEXIST).with_hint(elsewhere(engine))
}

fn elsewhere(engine: LimitEngine) -> String {
    format!("the name lives in the engine '{}': open it without an engine, or with that one", engine.name())
}
