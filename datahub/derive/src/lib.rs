//! Derives for types that stand in shared blocks: `Schema` for slots, `ZoneSchema` for flexible zones.
//!
//! The derives look at the shape of the struct and leave the rest to the compiler: that each field's
//! type has a schema is a trait bound, that there is no padding is a constant assertion that names
//! the field it stands before. Both appear at the field.

#![forbid(unsafe_code)]

mod expand;
mod shape;

use proc_macro::TokenStream;
use syn::DeriveInput;

/// Gives a `#[repr(C)]` struct of fixed-width numbers, arrays and other such structs its schema.
///
/// Refused are padding, enums, unions, tuple structs, generic structs, and fields without a schema:
/// bool, char, usize, pointers, references. `#[schema(name = "…")]` names the layout
/// otherwise than the struct, for instance as another program names it.
#[proc_macro_derive(Schema, attributes(schema))]
pub fn schema(input: TokenStream) -> TokenStream {
    derived(input, expand::schema)
}

/// Gives a `#[repr(C)]` struct of shared primitives its zone schema.
///
/// Refused is what `Schema` refuses, and fields that are not shared primitives: plain data in a zone
/// would be written by one process while another reads it.
#[proc_macro_derive(ZoneSchema, attributes(schema))]
pub fn zone_schema(input: TokenStream) -> TokenStream {
    derived(input, expand::zone_schema)
}

fn derived(
    input: TokenStream,
    expand: impl Fn(&DeriveInput) -> syn::Result<proc_macro2::TokenStream>,
) -> TokenStream {
    let expanded = syn::parse(input).and_then(|input| expand(&input));
    expanded.unwrap_or_else(|error| error.to_compile_error()).into()
}
