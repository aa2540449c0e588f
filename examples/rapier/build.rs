//! Has the linker note where libtorch lies, so that the program runs without `LD_LIBRARY_PATH`.

fn main() {
    if let Ok(argument) = std::env::var("DEP_CONCRETE_DQN_LINK_ARG") {
        println!("cargo:rustc-link-arg={argument}");
    }
}
