//! Makes the folder that the dashboard is built to, so that a fresh clone compiles before anyone built the dashboard.

fn main() {
    let dist = "../dashboard/dist";
    // Refused in a read-only checkout: rust-embed then finds nothing, and a page that says so is served instead.
    let _ = std::fs::create_dir_all(dist);
    println!("cargo::rerun-if-changed={dist}");
    println!("cargo::rerun-if-changed=build.rs");
}
