//! Version ranges as the attributes write them: `0-13`, `9+`, `3`, `none`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::LitStr;

/// A range of versions, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Versions {
    pub(crate) first: i16,
    pub(crate) last: i16,
}

impl Versions {
    pub(crate) const ALL: Self = Self { first: 0, last: i16::MAX };
    pub(crate) const NONE: Self = Self { first: 0, last: -1 };

    pub(crate) fn parse(literal: &LitStr) -> syn::Result<Self> {
        let text = literal.value();
        let number = |text: &str| {
            text.parse::<i16>().ok().filter(|version| *version >= 0).ok_or_else(|| {
                syn::Error::new(
                    literal.span(),
                    "expected versions such as \"0-13\", \"9+\", \"3\" or \"none\"",
                )
            })
        };
        if text == "none" {
            return Ok(Self::NONE);
        }
        if let Some(first) = text.strip_suffix('+') {
            return Ok(Self { first: number(first)?, last: i16::MAX });
        }
        let (first, last) = text.split_once('-').unwrap_or((&text, &text));
        Ok(Self { first: number(first)?, last: number(last)? })
    }

    pub(crate) fn is_empty(self) -> bool {
        self.first > self.last
    }

    pub(crate) fn intersect(self, other: Self) -> Self {
        Self { first: self.first.max(other.first), last: self.last.min(other.last) }
    }

    /// Whether every version of `other` is in this range.
    pub(crate) fn covers(self, other: Self) -> bool {
        other.is_empty() || (self.first <= other.first && other.last <= self.last)
    }

    /// The condition on `version` that holds within this range, given that it lies in `known`; `None` if it always holds.
    pub(crate) fn condition(self, known: Self) -> Option<TokenStream> {
        if self.covers(known) {
            return None;
        }
        let (first, last) = (self.first, self.last);
        if self.intersect(known).is_empty() {
            return Some(quote! { false });
        }
        Some(match (first > known.first, last < known.last) {
            (true, true) if first == last => quote! { version == #first },
            (true, true) => quote! { (#first..=#last).contains(&version) },
            (true, false) => quote! { version >= #first },
            _ => quote! { version <= #last },
        })
    }

    /// A constant of the runtime's type.
    pub(crate) fn constant(self) -> TokenStream {
        let (first, last) = (self.first, self.last);
        quote! { ::vltava_protocol::wire::Versions::new(#first, #last) }
    }
}
