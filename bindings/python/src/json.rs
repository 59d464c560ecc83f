//! Python values as JSON. Nothing raises: what JSON cannot say becomes its text, as recording must never end a handler.

use std::borrow::Cow;

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use serde_json::{Map, Number, Value};

/// Stands for a value that holds itself.
const CIRCULAR: &str = "[circular]";
/// Stands for a value whose own code fails when it is read.
const UNREADABLE: &str = "[unreadable]";
/// Stands for what is nested deeper than [`DEEPEST`].
const TOO_DEEP: &str = "[too deep]";
/// Containers may be nested so deep.
const DEEPEST: usize = 32;
/// Metadata that is longer is cut by the SDK in any case, so no more of it is read.
const ENOUGH: usize = 64 * 1024;

/// The values that a handler attached. What comes behind 64 KiB of text is not read.
pub(crate) fn metadata(given: &Bound<'_, PyDict>) -> Map<String, Value> {
    Reader { open: Vec::new(), left: ENOUGH }.members(given)
}

/// A whole value, as long as it may be.
pub(crate) fn value(given: &Bound<'_, PyAny>) -> Value {
    Reader { open: Vec::new(), left: usize::MAX }.value(given)
}

/// The text that a value is, or has: lone surrogates are replaced.
pub(crate) fn text<'a>(value: &'a Bound<'_, PyAny>) -> Cow<'a, str> {
    if let Ok(text) = value.cast::<PyString>() {
        return text.to_string_lossy();
    }
    let said = value.str().map(|text| text.to_string_lossy().into_owned());
    Cow::Owned(said.unwrap_or_else(|_| UNREADABLE.to_owned()))
}

struct Reader {
    /// The containers that are being read, from the outermost.
    open: Vec<usize>,
    /// The bytes that may still be read; a value counts as one at least.
    left: usize,
}

impl Reader {
    fn value(&mut self, value: &Bound<'_, PyAny>) -> Value {
        self.left = self.left.saturating_sub(1);
        if value.is_none() {
            return Value::Null;
        }
        if let Ok(truth) = value.cast::<PyBool>() {
            return Value::Bool(truth.is_true());
        }
        if let Some(number) = number(value) {
            return Value::Number(number);
        }
        if let Ok(members) = value.cast::<PyDict>() {
            return self.container(value, |reader| Value::Object(reader.members(members)));
        }
        if let Ok(items) = value.cast::<PyList>() {
            return self.container(value, |reader| reader.items(items.iter()));
        }
        if let Ok(items) = value.cast::<PyTuple>() {
            return self.container(value, |reader| reader.items(items.iter()));
        }
        Value::String(self.cut(&text(value)))
    }

    fn members(&mut self, members: &Bound<'_, PyDict>) -> Map<String, Value> {
        let mut read = Map::new();
        // A copy: a value's own code may change the dict while it is read.
        for member in members.items() {
            if self.left == 0 {
                break;
            }
            let Ok((name, value)) = member.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>() else { continue };
            let name = self.cut(&text(&name));
            read.insert(name, self.value(&value));
        }
        read
    }

    fn items<'py>(&mut self, items: impl Iterator<Item = Bound<'py, PyAny>>) -> Value {
        let mut read = Vec::new();
        for item in items {
            if self.left == 0 {
                break;
            }
            read.push(self.value(&item));
        }
        Value::Array(read)
    }

    fn container(&mut self, value: &Bound<'_, PyAny>, read: impl FnOnce(&mut Self) -> Value) -> Value {
        let identity = value.as_ptr().addr();
        if self.open.contains(&identity) {
            return Value::String(CIRCULAR.to_owned());
        }
        if self.open.len() >= DEEPEST {
            return Value::String(TOO_DEEP.to_owned());
        }
        self.open.push(identity);
        let read = read(self);
        self.open.pop();
        read
    }

    fn cut(&mut self, text: &str) -> String {
        let mut end = text.len().min(self.left);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        self.left -= end;
        text[..end].to_owned()
    }
}

/// A number that JSON can say: neither an infinity nor one of more than 64 bits.
fn number(value: &Bound<'_, PyAny>) -> Option<Number> {
    if value.is_instance_of::<PyInt>() {
        let signed = value.extract::<i64>().map(Number::from);
        return signed.or_else(|_| value.extract::<u64>().map(Number::from)).ok();
    }
    Number::from_f64(value.cast::<PyFloat>().ok()?.value())
}
