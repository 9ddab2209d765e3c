package Webhook::Check::System;

# (C) ngx_http_webhook_module contributors

# Commands that are run, and files that are read.

###############################################################################

use warnings;
use strict;

use Exporter qw/ import /;

our @EXPORT_OK = qw/ run run_apart slurp /;

use POSIX qw/ _exit /;

use Webhook::Check::Output qw/ NO_NGINX fail /;

###############################################################################

# runs a command: its status, and what it prints

sub run {
	my ($status, $out, $err) = run_apart(@_);
	return ($status, $out . $err);
}

sub run_apart {
	my (@command) = @_;

	open my $out, '+>', undef or fail(NO_NGINX, "no temporary file: $!");
	open my $err, '+>', undef or fail(NO_NGINX, "no temporary file: $!");

	my $pid = fork();
	fail(NO_NGINX, "fork() failed: $!") unless defined $pid;

	if (!$pid) {
		open STDIN, '<', '/dev/null';
		open STDOUT, '>&', $out;
		open STDERR, '>&', $err;
		exec { $command[0] } @command or _exit(127);
	}

	waitpid($pid, 0);
	my $status = $?;

	seek $_, 0, 0 foreach $out, $err;
	local $/;

	return ($status, map { my $s = <$_>; defined $s ? $s : '' } $out, $err);
}

sub slurp {
	my ($file) = @_;

	open my $fh, '<:raw', $file or return;
	local $/;

	return scalar <$fh>;
}

###############################################################################

1;
