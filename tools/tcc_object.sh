#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tcc_object.sh LD OBJCOPY LIBTCC.A OUT.O: the compiler as one object. It opens and ends by
# functions of src/module/tcc.c, and no other name of its own can be seen.
set -e
partial="$4.all"
trap 'rm -f "$partial"' EXIT
"$1" -r -o "$partial" --whole-archive "$3"
keep=
for name in new delete set_options set_output_type set_error_func add_sysinclude_path add_file \
	add_symbol relocate get_symbol; do
	keep="$keep --keep-global-symbol=tcc_$name"
done
"$2" $keep --redefine-sym open=module_tcc_open --redefine-sym exit=module_tcc_exit \
	--redefine-sym dlsym=module_tcc_dlsym "$partial" "$4"
