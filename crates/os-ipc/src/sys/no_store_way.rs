//! Where large stores have one way.

#[derive(Debug, Default)]
pub(super) struct StoreWay(());
