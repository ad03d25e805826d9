//! Entity ids: Datomic Pro's layout of a partition and a counter in one long.
//!
//! Bits 61..42 hold the partition, bits 41..0 the counter. A transaction entity is `3 << 42 | t`.
//! Bit 61 set means an implicit partition whose number is the lower 19 bits. Ids are never
//! negative: a negative long in transaction data is a temporary id.

use std::fmt;

const COUNTER_BITS: u32 = 42;
const COUNTER_MASK: u64 = (1 << COUNTER_BITS) - 1;

/// The id of an entity: partition and counter in one number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct EntityId(u64);

/// The number of a partition: the upper 20 bits of an entity id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition(u32);

/// The number of a transaction, counted from 1000 for the first one of a user.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct T(u64);

impl EntityId {
    /// Takes a number as it is.
    pub const fn new(raw: u64) -> EntityId {
        EntityId(raw)
    }

    /// The number.
    pub const fn raw(self) -> u64 {
        self.0
    }

    /// The partition the id lies in.
    pub const fn partition(self) -> Partition {
        Partition((self.0 >> COUNTER_BITS) as u32)
    }

    /// The lower 42 bits.
    pub const fn counter(self) -> u64 {
        self.0 & COUNTER_MASK
    }

    /// The t of a transaction entity; of any other entity, its counter (as Datomic's `tx->t`).
    pub const fn t(self) -> T {
        T(self.counter())
    }

    /// Whether the id lies in the transaction partition.
    pub const fn is_tx(self) -> bool {
        self.partition().0 == Partition::TX.0
    }
}

impl Partition {
    /// `:db.part/db`: schema.
    pub const DB: Partition = Partition(0);
    /// `:db.part/tx`: transaction entities.
    pub const TX: Partition = Partition(3);
    /// `:db.part/user`: everything else, unless asked otherwise.
    pub const USER: Partition = Partition(4);
    /// How many implicit partitions there are.
    pub const IMPLICIT_COUNT: u32 = 1 << 19;

    /// The partition with that number (at most 20 bits).
    pub const fn new(number: u32) -> Partition {
        Partition(number)
    }

    /// The `n`-th implicit partition.
    pub const fn implicit(n: u32) -> Partition {
        Partition((1 << 19) | n)
    }

    /// The number.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// Which implicit partition this is, if it is one.
    pub const fn implicit_number(self) -> Option<u32> {
        if self.0 >> 19 == 1 {
            Some(self.0 & (Self::IMPLICIT_COUNT - 1))
        } else {
            None
        }
    }

    /// The entity id with that counter in this partition.
    pub const fn entity(self, counter: u64) -> EntityId {
        EntityId(((self.0 as u64) << COUNTER_BITS) | (counter & COUNTER_MASK))
    }
}

impl T {
    /// Takes a number as it is.
    pub const fn new(raw: u64) -> T {
        T(raw)
    }

    /// The number.
    pub const fn raw(self) -> u64 {
        self.0
    }

    /// The transaction entity of this t.
    pub const fn tx(self) -> EntityId {
        Partition::TX.entity(self.0)
    }
}

impl fmt::Display for EntityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for EntityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

impl fmt::Display for T {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for T {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "t{}", self.0)
    }
}

impl fmt::Debug for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "part{}", self.0)
    }
}
