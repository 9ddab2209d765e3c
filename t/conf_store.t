#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the configuration of a store: what nginx -t refuses, and what it
# warns of.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $t = Test::Nginx->new()->has(qw/http http_ssl/);

my $d = $t->testdir();
my $server = 'server 127.0.0.1:6379;';
my $zone = 'webhook_dedup_zone zone=events:1m store=fleet;';

$t->write_file('password', "the-password-of-the-store\n");
$t->write_file('two', "one line\nanother line\n");
$t->write_file('none', "\n# a comment\n");
$t->write_file('open', "a password for everybody\n");

chmod 0600, map { "$d/$_" } qw/ password two none /;
chmod 0644, "$d/open";

system("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=store "
	. "-keyout $d/key.pem -out $d/cert.pem >/dev/null 2>&1") == 0
	or die "Can't create a certificate\n";

# a block, or more; what nginx says of it

my @refused = (
	[ '', 'unknown webhook store "fleet" in \S+:\d+' ],
	[ block('') => 'store "fleet" has no "server"' ],
	[ block($server) . 'webhook_dedup_zone zone=other:1m store=fleet;'
		=> 'webhook store "fleet" is used by zone "events" already' ],
	[ block($server) . block($server) => 'duplicate store "fleet"' ],
	[ block($server, 'fleet!') => 'invalid store name "fleet!"' ],
	[ block($server, 'a' x 33) => 'invalid store name' ],
	[ block($server) . join('', map { block($server, "s$_") } 2 .. 9)
		=> 'more than 8 stores' ],
	[ block(join '', map { "server 127.0.0.1:$_;" } 1 .. 9)
		=> '"server" directive is given more than 8 times' ],

	[ block('server 127.0.0.1:0;') => 'invalid port in store server' ],
	[ block('server 127.0.0.1:65536;') => 'invalid port in store server' ],
	[ block('server 127.0.0.1:x;') => 'invalid port in store server' ],
	[ block('server "";') => 'no host in store server' ],
	[ block('server :6379;') => 'no host in store server' ],
	[ block('server *:6379;') => 'no host in store server' ],
	[ block('server [::1;') => 'invalid host in store server' ],
	[ block('server unix:;') => 'no path in the unix domain socket' ],
	[ block('server no-such-host.invalid;')
		=> 'host not found in server "no-such-host.invalid" of webhook '
		. 'store "fleet" in \S+:\d+' ],

	[ block("$server user nginx;")
		=> '"user" of store "fleet" needs "password"' ],
	[ block("$server user \"\"; password file:$d/password;")
		=> '"user" of store "fleet" is empty' ],
	[ block("$server password literal;")
		=> '"password" directive takes "file:" or "env:"' ],
	[ block("$server password file:$d/absent;") => 'open\(\) ".*" failed' ],
	[ block("$server password file:$d/none;") => 'holds no secret' ],
	[ block("$server password file:$d/two;") => 'more than one line' ],
	[ block("$server password file:;") => 'names nothing' ],
	[ block("$server password env:TEST_STORE_UNSET;") => 'is not set' ],
	[ block("$server password env:TEST_STORE_EMPTY;") => 'is empty' ],

	[ block("$server database -1;") => 'invalid number' ],
	[ block("$server database 65536;")
		=> 'value must be between 0 and 65535' ],

	(map { [ block("$server prefix $_;") => 'invalid prefix' ] }
		'""', '"a b"', '"a{b"', '"a}b"', '"a' . "\x7f" . 'b"',
		'a' x 65),

	(map { my $time = $_; map { [ block("$server $_ $time;")
		=> 'value must be between 1ms and 60s' ] }
		qw/ timeout connect_timeout / } qw/ 0 61s 60001ms /),
	[ block("$server timeout x;") => '"timeout" directive invalid value' ],

	[ block('server unix:/tmp/redis.sock; ssl on;')
		=> '"ssl" of store "fleet" cannot be used with' ],
	[ block("$server ssl on;") => 'needs "ssl_name" to verify' ],
	[ block('server [::1]; ssl on;') => 'needs "ssl_name" to verify' ],
	[ block("$server ssl on; ssl_name store; ssl_certificate $d/cert.pem;")
		=> 'needs both "ssl_certificate" and "ssl_certificate_key"' ],
	[ block("$server ssl on; ssl_name store; "
		. "ssl_certificate_key $d/key.pem;")
		=> 'needs both "ssl_certificate" and "ssl_certificate_key"' ],
	[ block("$server ssl_certificate $d/cert.pem;")
		=> 'needs both "ssl_certificate" and "ssl_certificate_key"' ],
	[ block("$server ssl_certificate_key $d/key.pem;")
		=> 'needs both "ssl_certificate" and "ssl_certificate_key"' ],
	[ block("$server ssl on; ssl_name store; ssl_certificate $d/absent; "
		. "ssl_certificate_key $d/key.pem;") => 'absent' ],
	[ block("$server ssl on; ssl_name store; "
		. "ssl_trusted_certificate $d/password;") => 'password' ],

	[ block("$server unknown x;")
		=> 'unknown directive "unknown" in webhook_store' ],
	[ block("$server timeout;") => 'invalid number of arguments in "timeout"' ],
	[ block("$server timeout 1s 2s;")
		=> 'invalid number of arguments in "timeout"' ],
	(map { [ block("$server $_ $_") => '"\w+" directive is duplicate' ] }
		'timeout 1s;', 'connect_timeout 1s;', 'database 1;', 'prefix a;',
		'user a;', "password file:$d/password;", 'ssl off;',
		'ssl_verify on;', 'ssl_name a;'),

	(map { [ block($server) . "webhook_dedup zone=events on_error=$_;"
		=> 'invalid parameter "on_error=' ] } qw/ pass evict /, ''),
	[ block($server) . 'webhook_dedup_zone zone=other:1m store=;'
		=> 'invalid parameter "store="' ],
);

my @warned = (
	[ block("$server password file:$d/open;") => 'can be read by everybody' ],
	[ block('server localhost;') => 'without "resolver" the address of server '
		. '"localhost" of webhook store "fleet" is looked up only here' ],
	[ 'resolver 127.0.0.1:1; ' . block('server no-such-host.invalid;')
		=> 'host not found in server' ],
	[ block('server localhost; ssl on; ssl_verify off;')
		=> 'with "ssl_verify off"' ],
	[ block($server) . block($server, 'spare')
		=> 'webhook store "spare" is used by no "webhook_dedup_zone"' ],
);

my @accepted = (
	block($server),
	block('server localhost:6379;') . 'resolver 127.0.0.1:1;',
	block('server [::1]; server [::1]:7000; server unix:/tmp/redis.sock;'),
	block("$server user a; password file:password; database 65535;"
		. 'prefix ' . 'a' x 64 . '; timeout 1ms; connect_timeout 60s;'),
	block("$server password env:TEST_STORE;"),
	block("$server ssl on; ssl_name store; ssl_certificate cert.pem;"
		. 'ssl_certificate_key key.pem; ssl_trusted_certificate cert.pem;'),
	block($server) . 'webhook_dedup zone=events on_error=local;',
	block($server) . 'webhook_dedup zone=events on_error=reject;',
	join('', map { block($server, $_) . "webhook_dedup_zone zone=$_:32k "
		. "store=$_;" } 'fleet2' .. 'fleet8') . block($server),
);

$t->plan(@refused + 2 * @warned + @accepted + 3);

###############################################################################

my %opts = (in => 'http', env => { TEST_STORE => 'a password',
	TEST_STORE_EMPTY => '' });

foreach my $case (@refused) {
	my ($conf, $message) = @$case;
	my ($status, $output) = $t->conf_test("$zone$conf", %opts);

	like($status ? $output : 'is accepted',
		qr/\[emerg\] .*$message/, $conf =~ s/\n/ /gr);
}

foreach my $case (@warned) {
	my ($conf, $message) = @$case;
	my ($status, $output) = $t->conf_test("$zone$conf", %opts);

	is($status, 0, "$conf - accepted");
	like($output, qr/\[warn\] .*$message/, "$conf - warned of");
}

foreach my $conf (@accepted) {
	my ($status, $output) = $t->conf_test("$zone$conf", %opts);

	is($status ? $output : join('', $output =~ /^.*\[warn\] .*\n/mg), '',
		$conf);
}

# nginx starts without the store

$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_store fleet {
        server  127.0.0.1:8379;
    }

    webhook_dedup_zone  zone=events:1m  store=fleet;

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;
    }
}

EOF

my $port = Test::Nginx::port(8379);

$t->run();

like($t->wait_log(qr/\[error\] .*webhook store/), qr/webhook\ store\ "fleet"\ is
	\ down:\ server\ 127\.0\.0\.1:$port\ could\ not\ be\ connected\ to
	\ \(111:\ /x, 'started, and told');

# a password that stands in the configuration is not repeated; nor is that of
# a file

my (undef, $output) = $t->conf_test($zone
	. block("$server password a-literal-password;"), %opts);
unlike($output, qr/a-literal/, 'a literal password');

(undef, $output) = $t->conf_test($zone
	. block("$server password file:$d/password;"), %opts, dump => 1);
unlike($output, qr/the-password/, 'a password in a file');

###############################################################################

sub block {
	my ($lines, $name) = @_;

	$name = 'fleet' unless defined $name;

	return "webhook_store $name { $lines }\n";
}

###############################################################################
