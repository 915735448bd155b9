/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Exit status of a sub-command: 0, 1 for what failed, 2 for wrong usage. */
enum { CLI_OK, CLI_FAILED, CLI_USAGE };

int run_main(int argc, char **argv);
int exec_main(int argc, char **argv);
int check_main(int argc, char **argv);
int list_main(int argc, char **argv);
int schema_main(int argc, char **argv);
int show_main(int argc, char **argv);
int ctl_main(int argc, char **argv);
