//! What the derives write.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{DeriveInput, Field, Result};

use crate::shape::Shape;

/// `unsafe impl Schema`.
pub(crate) fn schema(input: &DeriveInput) -> Result<TokenStream> {
    implement(input, &quote!(::datahub::schema::Schema), &quote!(::datahub::schema::Text))
}

/// `unsafe impl ZoneSchema`.
pub(crate) fn zone_schema(input: &DeriveInput) -> Result<TokenStream> {
    implement(input, &quote!(::datahub::zone::ZoneSchema), &quote!(::datahub::zone::ZoneText))
}

fn implement(input: &DeriveInput, of: &TokenStream, text: &TokenStream) -> Result<TokenStream> {
    let shape = Shape::of(input)?;
    let (ident, name) = (&input.ident, &shape.name);
    let bounds = shape.fields.iter().map(|field| bound(field, of));
    let checks = gaps(input, &shape);
    let added = shape.fields.iter().map(|field| {
        let (name, plain, kind) = (&field.ident, plain_name(field), &field.ty);
        quote!(.field::<#kind>(#plain, ::core::mem::offset_of!(#ident, #name)))
    });
    Ok(quote! {
        const _: () = {
            #(#bounds)*
            #(#checks)*
            const TEXT: #text = #text::of(#name) #(#added)* .end::<#ident>();
            const BYTES: [u8; TEXT.len()] = TEXT.trimmed();
            // SAFETY: the struct is `repr(C)`, its fields have schemas, and nothing lies between
            // them: each is checked above.
            #[automatically_derived]
            unsafe impl #of for #ident {
                const SCHEMA_TEXT: &'static str = ::datahub::schema::as_text(&BYTES);
                const COMPOUND: bool = true;
            }
        };
    })
}

/// An error at the field's type when that has no schema.
fn bound(field: &Field, of: &TokenStream) -> TokenStream {
    let kind = &field.ty;
    quote_spanned! { kind.span() =>
        const _: () = {
            const fn has_schema<T: #of>() {}
            has_schema::<#kind>()
        };
    }
}

/// Assertions that the fields follow one another without a gap.
fn gaps(input: &DeriveInput, shape: &Shape<'_>) -> Vec<TokenStream> {
    let ident = &input.ident;
    let mut checks = Vec::new();
    let mut end = quote!(0_usize);
    for field in &shape.fields {
        let (name, kind) = (&field.ident, &field.ty);
        let why = format!(
            "there is padding before the field `{}` of `{ident}`: order the fields by size, or fill \
             the gap with a field of its own",
            plain_name(field),
        );
        checks.push(quote_spanned! { name.span() =>
            const _: () = ::core::assert!(::core::mem::offset_of!(#ident, #name) == #end, #why);
        });
        end = quote!(::core::mem::offset_of!(#ident, #name) + ::core::mem::size_of::<#kind>());
    }
    let why = format!(
        "there is padding at the end of `{ident}`: its size is rounded up to its alignment; fill the \
         gap with a field of its own",
    );
    checks.push(quote_spanned! { ident.span() =>
        const _: () = ::core::assert!(::core::mem::size_of::<#ident>() == #end, #why);
    });
    checks
}

/// The field's name as the text has it.
fn plain_name(field: &Field) -> String {
    let name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
    name.trim_start_matches("r#").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    fn refusal(input: &DeriveInput) -> String {
        let told: Vec<String> =
            schema(input).unwrap_err().into_iter().map(|error| error.to_string()).collect();
        told.join("\n")
    }

    #[test]
    fn every_mistake_in_the_shape_is_told_at_once() {
        let told = refusal(&parse_quote! {
            #[schema(kind = "x")]
            struct Sample<T>(T);
        });
        for part in ["no parameters", "#[repr(C)]", "only key is `name`", "tuple struct"] {
            assert!(told.contains(part), "{part} is missing in:\n{told}");
        }
    }

    #[test]
    fn what_cannot_have_a_schema_is_refused_in_words() {
        let cases: [(DeriveInput, &str); 7] = [
            (
                parse_quote!(
                    #[repr(C)]
                    enum E {
                        A,
                    }
                ),
                "an enum",
            ),
            (parse_quote!(#[repr(C)] union U { a: u8 }), "a union"),
            (
                parse_quote!(
                    #[repr(C)]
                    struct S {}
                ),
                "without fields",
            ),
            (
                parse_quote!(
                    #[repr(C)]
                    struct S;
                ),
                "without fields",
            ),
            (
                parse_quote!(
                    #[repr(C, packed)]
                    struct S {
                        a: u8,
                    }
                ),
                "packed",
            ),
            (
                parse_quote!(
                    #[repr(transparent)]
                    struct S {
                        a: u8,
                    }
                ),
                "#[repr(C)]",
            ),
            (
                parse_quote!(
                    #[repr(C)]
                    #[schema(name = "a;b")]
                    struct S {
                        a: u8,
                    }
                ),
                "letters, digits",
            ),
        ];
        for (input, part) in cases {
            let told = refusal(&input);
            assert!(told.contains(part), "{part} is missing in: {told}");
        }
    }

    #[test]
    fn a_good_struct_is_accepted() {
        assert!(
            schema(&parse_quote!(
                #[repr(C, align(8))]
                struct S {
                    a: u64,
                }
            ))
            .is_ok()
        );
        assert!(
            zone_schema(&parse_quote!(
                #[repr(C)]
                struct S {
                    a: A,
                    r#type: B,
                }
            ))
            .is_ok()
        );
    }
}
