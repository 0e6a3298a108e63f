//! The memory that this process's control group still allows: cgroups(7), of both versions.

use std::fs;
use std::path::{Path, PathBuf};

/// The names of one version's files.
struct Version {
    mounted_at: &'static str,
    limit: &'static str,
    usage: &'static str,
    /// The part of the usage that the kernel can reclaim: pages of files.
    reclaimable: [&'static str; 2],
}

const V1: Version = Version {
    mounted_at: "/sys/fs/cgroup/memory",
    limit: "memory.limit_in_bytes",
    usage: "memory.usage_in_bytes",
    reclaimable: ["total_inactive_file ", "total_active_file "],
};
const V2: Version = Version {
    mounted_at: "/sys/fs/cgroup",
    limit: "memory.max",
    usage: "memory.current",
    reclaimable: ["inactive_file ", "active_file "],
};

/// The bytes that the group and its ancestors have left; `None` if there is no limit or it is not known.
pub(in crate::sys) fn room() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let (version, group) = groups.lines().find_map(group_of)?;
    // In a container the group is `/`, or has its path outside: then only the root exists.
    let folder = PathBuf::from(format!("{}{group}", version.mounted_at));
    let ancestors = folder.ancestors().take_while(|folder| folder.starts_with(version.mounted_at));
    ancestors.filter_map(|folder| room_in(folder, version)).min()
}

/// A line `HIERARCHY:CONTROLLERS:GROUP`; version 2 has hierarchy 0 and names no controllers.
fn group_of(line: &str) -> Option<(&'static Version, &str)> {
    let mut parts = line.splitn(3, ':');
    let (hierarchy, controllers, group) = (parts.next()?, parts.next()?, parts.next()?);
    if controllers.split(',').any(|controller| controller == "memory") {
        return Some((&V1, group));
    }
    let unified = hierarchy == "0" && Path::new("/sys/fs/cgroup/cgroup.controllers").exists();
    unified.then_some((&V2, group))
}

fn room_in(folder: &Path, version: &Version) -> Option<u64> {
    let number = |file: &str| fs::read_to_string(folder.join(file)).ok()?.trim().parse::<u64>().ok();
    // No limit is written as `max`, or as a number larger than any machine's memory.
    let limit = number(version.limit).filter(|&limit| limit < 1 << 62)?;
    let used = number(version.usage)?;
    let statistics = fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
    let reclaimable: u64 = statistics
        .lines()
        .filter_map(|line| version.reclaimable.iter().find_map(|name| line.strip_prefix(name)))
        .filter_map(|bytes| bytes.parse::<u64>().ok())
        .sum();
    Some(limit.saturating_sub(used.saturating_sub(reclaimable)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_is_found_in_both_versions() {
        let (version, group) = group_of("9:memory:/system.slice/jobs.service").unwrap();
        assert_eq!((version.limit, group), (V1.limit, "/system.slice/jobs.service"));
        assert!(group_of("3:cpu,cpuacct:/").is_none());
    }

    #[test]
    fn this_host_has_room_for_a_page() {
        assert!(room().is_none_or(|room| room > 4096));
    }
}
