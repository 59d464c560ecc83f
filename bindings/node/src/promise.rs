//! Promises that are kept from the SDK's I/O thread.

use napi::Env;
use napi::bindgen_prelude::{Object, ToNapiValue};

/// Calls its argument with the value, once.
pub(crate) type Resolve<T> = Box<dyn FnOnce(T) + Send>;

/// A promise of what `ask` is to resolve, from any thread; `convert` runs on the promise's own.
///
/// While it is open it keeps the process alive, as any operation of Node's does. When its environment ends before, with its
/// worker or by `process.exit`, the value is dropped.
///
/// # Errors
/// The environment is at its end; `ask` is then not called.
pub(crate) fn promise<'env, T: Send + 'static, V: ToNapiValue + 'static>(
    env: &'env Env,
    convert: fn(T) -> V,
    ask: impl FnOnce(Resolve<T>),
) -> napi::Result<Object<'env>> {
    let (deferred, promise) = env.create_deferred()?;
    ask(Box::new(move |value| deferred.resolve(move |_| Ok(convert(value)))));
    Ok(promise)
}
