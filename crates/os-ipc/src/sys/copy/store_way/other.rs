//! Where large stores have one way.

#[derive(Debug, Default)]
pub(in crate::sys) struct StoreWay(());
