//! Symbols of Rust; what a line defines is written behind it.
use std::fmt;

/// A point.
#[derive(Debug)]
pub struct Point<T> { //= struct Point
    x: T,
}

impl<T> fmt::Display for Point<T> { //= impl Point
    /// Writes it.
    #[inline]
    fn fmt(&self) -> fmt::Result { //= function fmt
        const LOCAL: u8 = 1;
        fn inner() {} //= function inner
        inner()
    }
}

impl Point<u8> { //= impl Point
    pub(crate) async unsafe fn zero() -> Self { //= function zero
        todo!()
    }
}

enum Kind { //= enum Kind
    A,
    B,
}

pub trait Draw { //= trait Draw
    fn draw(&self); //= function draw
}

const LIMIT: u8 = 1;
static NAME: &str = "x";
type Alias = u8; //= type Alias

macro_rules! twice { //= macro twice
    ($x:expr) => {
        $x;
        $x
    };
}

#[cfg(test)]
mod tests { //= module tests
    #[tokio::test]
    async fn works() {} //= function works
}

// What stands in a macro is no symbol.
cfg_net! {
    pub fn hidden() {}
    impl Kind {
        cfg_more! { fn deep(&self) {} }
    }
}

#[cfg(all(test, unix))]
fn unix_only() {} //= function unix_only
