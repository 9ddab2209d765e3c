#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for state files that cannot be kept: nginx says so, starts, works
# without them, leaves nothing behind and nothing undone, and tries again with
# each reload.  And for folders in which others have laid traps.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Webhook;

use POSIX qw/ mkfifo EACCES EIO EMFILE ENOMEM ENOSPC EROFS /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $secret = 'secret-of-nextpay-0123456789';

my $t = Test::Nginx->new()->has(qw/http proxy/)->has_faults()
	->allow(qr/\[crit\] .*pwrite\(\) "\S+\.tmp" failed/)
	->plan(116);

my $d = $t->testdir();

mkdir "$d/state";

my $u = upstream(8081);

###############################################################################

# what cannot be made, with a good file there, at a start and by a reload

my $n = 0;
my @known;

foreach my $case (
	[ 'no space', 'pwrite 0 .tmp ' . ENOSPC, 'could not write' ],
	[ 'some space', 'pwrite 0 .tmp half', 'could not write' ],
	[ 'read-only', 'access 0 state/ ' . EROFS,
		'its folder cannot be written (' . EROFS ],
	[ 'not permitted', 'open 0 .tmp ' . EACCES, 'failed (' . EACCES ],
	[ 'not renamed', 'rename 0 .tmp ' . EIO, 'failed (' . EIO ],
) {
	my ($name, $rule, $message) = @$case;

	conf();
	$t->faults();
	$t->run();

	push @known, "known-" . ++$n;
	is(sent($known[-1]), '200 proxied', "$name - delivered");

	$t->stop();
	$t->faults($rule);

	my $before = identity();
	my $from = $t->log_pos();

	$t->run();

	ok(told($message, $from), "$name - told of")
		or diag(join "\n", $t->lines(qr/\[(?!debug)/, from => $from));
	is(join(' ', map { sent($_) eq '200 duplicate' ? () : $_ } @known), '',
		"$name - the file was read");

	is(join(', ', map { sent("now-$n") } 1, 2),
		'200 proxied, 200 duplicate', "$name - works");
	push @known, "now-$n";

	is(identity(), $before, "$name - nothing left behind");

	$from = $t->log_pos();
	ok($t->reload(), "$name - reloaded");
	ok(told($message, $from), "$name - told of again");

	# with another size as well

	conf(size => '2m');
	ok($t->reload(), "$name - reloaded with another size");
	is(identity(), $before, "$name - still nothing left behind");

	# as soon as it can be made, it is

	$t->faults();
	$from = $t->log_pos();
	ok($t->reload(), "$name - reloaded at last");
	is(join("\n", $t->lines(qr/\[error\]/, from => $from)), '',
		"$name - nothing to be told");

	$t->stop();
	$t->run();

	is(join(' ', map { sent($_) eq '200 duplicate' ? () : $_ } @known), '',
		"$name - all is kept");

	$t->stop();
}

# One that cannot be opened is left as it is, and read by a reload.

foreach my $case (
	[ 'no descriptors', EMFILE, '1m' ],
	[ 'no memory', ENOMEM, '2m' ],
	[ 'not to be opened', EACCES, '3m' ],
	[ 'not to be read', EIO, '4m' ],
) {
	my ($name, $errno, $size) = @$case;

	conf();
	$t->faults();
	$t->run();

	sent("$name-$_") foreach 1, 2;

	$t->stop();
	$t->faults("reopen 0 events.state $errno");

	my $before = identity();
	my $from = $t->log_pos();

	$t->run();

	ok(told("failed ($errno:", $from), "$name - told of");
	is(join(', ', map { sent("$name-1") } 1, 2),
		'200 proxied, 200 duplicate', "$name - works");
	ok($t->reload(), "$name - reloaded");
	is(identity(), $before, "$name - left as it is");

	$t->faults();
	conf(size => $size);
	ok($t->reload(), "$name - reloaded at last");

	push @known, map { "$name-$_" } 1, 2;
	is(join(' ', map { sent($_) eq '200 duplicate' ? () : $_ } @known), '',
		"$name - the file was read");

	$t->stop();
	$t->run();

	is(join(' ', map { sent($_) eq '200 duplicate' ? () : $_ } @known), '',
		"$name - all is kept");

	$t->stop();
}

# a folder that is not there, and comes

conf(path => 'later/x.state');

my $from = $t->log_pos();
$t->run();

ok(told('its folder cannot be written (2: No such file', $from),
	'no folder - told of');
is(join(', ', map { sent('later') } 1, 2), '200 proxied, 200 duplicate',
	'no folder - works');

mkdir "$d/later";
ok($t->reload(), 'folder made - reloaded');

$t->stop();
$t->run();

is(sent('later'), '200 duplicate', 'folder made - known after a restart');

$t->stop();

# what is no file is left alone

$t->write_file('state/target', 'untouched');
symlink 'target', "$d/state/link";
mkfifo("$d/state/fifo", 0600);
mkdir "$d/state/folder";

foreach my $name (qw/ link fifo folder /) {
	my $before = identity();

	conf(path => "state/$name");

	my $from = $t->log_pos();
	$t->run();

	ok(told('it is not a regular file', $from), "$name - told of");
	is(join(', ', map { sent($name) } 1, 2), '200 proxied, 200 duplicate',
		"$name - works");

	$t->stop();

	is(identity(), $before, "$name - left alone");
}

is($t->read_file('state/target'), 'untouched', 'target of a link');

###############################################################################

# The name of a new file can be guessed: what lies there is not written to.

conf();
$t->run();

foreach my $name ('symlink', 'hard link') {
	(my $path = "trap-$name") =~ s/ /-/;

	$t->write_file('victim', 'untouched');
	my $tmp = "$d/state/$path." . $t->master() . '.tmp';

	($name eq 'symlink' ? symlink("$d/victim", $tmp) : link("$d/victim", $tmp))
		or die "Can't make $tmp: $!\n";

	conf(path => "state/$path");
	ok($t->reload(), "$name - reloaded");

	is($t->read_file('victim'), 'untouched', "$name - not followed");
	is(join(' ', (lstat "$d/state/$path")[3], -f _ ? 'file' : 'no file',
		glob("$d/state/*.tmp")), '1 file', "$name - a new file");
}

# where others could have laid them, it is said

mkdir "$d/mode";

foreach my $case ([ '0777', 1 ], [ '0775', 1 ], [ '1777', 0 ], [ '0755', 0 ]) {
	my ($mode, $told) = @$case;

	chmod oct $mode, "$d/mode";

	my $from = $t->log_pos();

	conf(path => "mode/$mode.state");
	$t->reload();

	is(scalar @{[ $t->lines(qr/\[error\].* can be written by others/,
		from => $from) ]}, $told, "folder of mode $mode");
	ok(-f "$d/mode/$mode.state", "folder of mode $mode - file");
}

conf();
$t->reload();

###############################################################################

sub conf {
	my (%opts) = @_;

	my $size = $opts{size} || '1m';
	my $path = $opts{path} || 'state/events.state';

	$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=events:$size state=%%TESTDIR%%/$path;

    webhook_in_flight_wait  0;

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        location / {
            proxy_pass  http://127.0.0.1:8081;
        }

        location /hook {
            webhook_verify  nextpay;
            webhook_secret  $secret;
            webhook_dedup   zone=events key=hook;
            proxy_pass      http://127.0.0.1:8081;
        }
    }
}

EOF
}

# what is in the folder, and whether it is still the same

sub identity {
	return join ', ', map {
		my $name = $_;
		join ' ', $name, (lstat $name)[1, 2, 7, 9], -l _ ? readlink $name : ();
	} sort glob("$d/state/*");
}

sub told {
	my ($message, $from) = @_;

	return scalar grep { index($_, $message) >= 0 }
		$t->lines(qr/\[error\]/, from => $from);
}

sub sent {
	my ($id) = @_;

	return came_of($u, sub {
		deliver('nextpay', $secret, "{\"id\":\"$id\"}", uri => '/hook')
	});
}

###############################################################################
