//! Numbers for native objects in JavaScript: a plain function with a number costs a tenth of a class's method.

const INDEX_BITS: u32 = 20;
const INDEX_MASK: u32 = (1 << INDEX_BITS) - 1;

/// Objects by number. A number contains its slot and the slot's generation, so that an old one never finds a new object.
pub(crate) struct Handles<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
}

struct Slot<T> {
    generation: u32,
    /// The session that owns the object.
    session: u32,
    object: Option<T>,
}

impl<T> Handles<T> {
    pub(crate) const fn new() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }

    /// Stores an object of a session, and returns its number, never 0. `None` if a million objects are open.
    pub(crate) fn insert(&mut self, session: u32, object: T) -> Option<u32> {
        let index = self.free.pop().or_else(|| self.grow())?;
        let slot = &mut self.slots[index as usize];
        slot.session = session;
        slot.object = Some(object);
        Some(slot.generation << INDEX_BITS | index)
    }

    fn grow(&mut self) -> Option<u32> {
        let index = u32::try_from(self.slots.len()).ok().filter(|index| *index <= INDEX_MASK)?;
        self.slots.push(Slot { generation: 1, session: 0, object: None });
        Some(index)
    }

    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        let slot = self.slots.get((number & INDEX_MASK) as usize)?;
        if slot.generation == number >> INDEX_BITS { slot.object.as_ref() } else { None }
    }

    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        let slot = self.slots.get_mut((number & INDEX_MASK) as usize)?;
        if slot.generation == number >> INDEX_BITS { slot.object.as_mut() } else { None }
    }

    /// The session of an object.
    pub(crate) fn session(&self, number: u32) -> Option<u32> {
        self.get(number)?;
        Some(self.slots[(number & INDEX_MASK) as usize].session)
    }

    pub(crate) fn remove(&mut self, number: u32) -> Option<T> {
        self.get(number)?;
        self.take(number & INDEX_MASK)
    }

    fn take(&mut self, index: u32) -> Option<T> {
        let slot = self.slots.get_mut(index as usize)?;
        let object = slot.object.take()?;
        slot.generation = (slot.generation + 1) % (1 << (u32::BITS - INDEX_BITS));
        slot.generation = slot.generation.max(1);
        self.free.push(index);
        Some(object)
    }

    /// Every object.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().filter_map(|slot| slot.object.as_ref())
    }

    /// Every object of a session.
    pub(crate) fn of(&self, session: u32) -> impl Iterator<Item = &T> {
        self.slots.iter().filter(move |slot| slot.session == session).filter_map(|slot| slot.object.as_ref())
    }

    /// Removes the objects of a session that `remove` selects.
    pub(crate) fn remove_if(&mut self, session: u32, remove: impl Fn(&T) -> bool) -> Vec<T> {
        let removed = |slot: &Slot<T>| slot.session == session && slot.object.as_ref().is_some_and(&remove);
        let indices: Vec<u32> =
            (0_u32..).zip(&self.slots).filter(|(_, slot)| removed(slot)).map(|(index, _)| index).collect();
        indices.into_iter().filter_map(|index| self.take(index)).collect()
    }

    /// Removes every object, and returns it with its session.
    pub(crate) fn drain(&mut self) -> Vec<(u32, T)> {
        self.free.clear();
        self.slots.drain(..).filter_map(|slot| Some((slot.session, slot.object?))).collect()
    }
}
