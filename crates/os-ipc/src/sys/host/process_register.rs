//! One register for all copies of this library in a process.
//!
//! A process can load several copies, each with its own memory, when several packages bring their own. They find each
//! other by an exported symbol. The first image in the loader's list that has it is the same for all of them.

use std::ffi::{CStr, CString};
use std::ptr;
use std::sync::atomic::AtomicUsize;

/// The number of threads of libuv's pool that all copies have taken together.
///
/// The name stands for its layout: another layout needs another symbol.
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals, reason = "other copies search for this name, spelled as in C")]
pub static os_ipc_pool_threads_taken_v1: AtomicUsize = AtomicUsize::new(0);

/// `dlsym(3)` in every image of the process: the register that all copies share.
pub(crate) fn pool_threads_taken() -> &'static AtomicUsize {
    // SAFETY: the symbol, by its name, is an AtomicUsize.
    unsafe { of_process(c"os_ipc_pool_threads_taken_v1") }.unwrap_or(&os_ipc_pool_threads_taken_v1)
}

/// `dlsym(3)` in every image of the process: what the first one in the loader's list exports by this name.
///
/// # Safety
/// - Every image that exports the symbol has a `T` there, which may be shared between threads.
pub(super) unsafe fn of_process<T: Sync>(symbol: &CStr) -> Option<&'static T> {
    // SAFETY: the caller's.
    images().iter().find_map(|image| unsafe { in_image(image, symbol) })
}

/// # Safety
/// - As of [`of_process`].
unsafe fn in_image<T>(path: &CString, symbol: &CStr) -> Option<&'static T> {
    // SAFETY: RTLD_NOLOAD opens only what is loaded already, and runs nothing. The symbol is a `T`, as the caller says. Its
    // image is kept for good before the reference is given out.
    unsafe {
        let image = libc::dlopen(path.as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD);
        if image.is_null() {
            return None;
        }
        let place = libc::dlsym(image, symbol.as_ptr()).cast::<T>();
        if !place.is_null() {
            libc::dlopen(path.as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD | super::module::RTLD_NODELETE);
        }
        libc::dlclose(image);
        place.as_ref()
    }
}

/// `dl_iterate_phdr(3)`: the paths of what is loaded, in the order of loading.
#[cfg(target_os = "linux")]
fn images() -> Vec<CString> {
    use std::ffi::{c_int, c_void};

    unsafe extern "C" fn note(info: *mut libc::dl_phdr_info, _: usize, images: *mut c_void) -> c_int {
        // SAFETY: the loader's record is valid during the call, its name is null or a string, and `images` is the list below.
        unsafe {
            if !(*info).dlpi_name.is_null() {
                let path = CStr::from_ptr((*info).dlpi_name);
                // The program itself has no name, and what the kernel maps has no path.
                if path.to_bytes().contains(&b'/') {
                    (*images.cast::<Vec<CString>>()).push(path.to_owned());
                }
            }
        }
        0
    }

    let mut images: Vec<CString> = Vec::new();
    // SAFETY: `note` gets the list, which outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(note), ptr::from_mut(&mut images).cast()) };
    images
}

/// `_dyld_get_image_name(3)`: the paths of what is loaded, in the order of loading.
#[cfg(not(target_os = "linux"))]
fn images() -> Vec<CString> {
    unsafe extern "C" {
        fn _dyld_image_count() -> u32;
        fn _dyld_get_image_name(index: u32) -> *const std::ffi::c_char;
    }
    // SAFETY: an index beyond the end, after an image was unloaded meanwhile, gives null.
    unsafe {
        (0.._dyld_image_count())
            .filter_map(|index| ptr::NonNull::new(_dyld_get_image_name(index).cast_mut()))
            .map(|name| std::ffi::CStr::from_ptr(name.as_ptr()).to_owned())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_another_copy_the_register_is_our_own() {
        assert!(ptr::eq(pool_threads_taken(), &raw const os_ipc_pool_threads_taken_v1));
    }

    #[test]
    fn the_images_of_the_process_are_found() {
        assert!(images().iter().any(|path| path.to_string_lossy().contains("libc")));
    }
}
