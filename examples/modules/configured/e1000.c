/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The card e1000 once more, as code: everything that cards/e1000/card.xml says is said
 * here, by a module that only configures. What is alike stands in tables, and what is
 * computed need not be written out. Mistakes are reported with the lines of this file.
 */
#include <anynic/module.h>

struct field {
	const char *name, *bits, *access, *does, *shows;
};

struct reg {
	const char *name;
	uint32_t at;
	const char *access;
	uint32_t reset, mask, count, stride;
	const char *does, *do_on, *alias, *effects, *doc;
	const struct field *fields;
};

struct counter {
	const char *name;
	uint32_t at;
	const char *access, *counts, *high;
	int sticks;
};

static const struct field ctrl[] = {{"FD", "0"},
				    {"LRST", "3"},
				    {"ASDE", "5"},
				    {"SLU", "6"},
				    {"ILOS", "7"},
				    {"SPEED", "9:8"},
				    {"FRCSPD", "11"},
				    {"FRCDPX", "12"},
				    {"RST", "26", "self-clear", "reset soft"},
				    {"RFCE", "27"},
				    {"TFCE", "28"},
				    {"VME", "30"},
				    {"PHY_RST", "31", "self-clear", "reset phy-hard"},
				    {0}};
static const struct field status[] = {
	{"FD", "0"},
	{"LU", "1", 0, 0, "link.up"},
	{"SPEED", "7:6", 0, 0, "(link.speed >= 100) + (link.speed >= 1000)"},
	{0}};
static const struct field eecd[] = {{"SK", "0"},
				    {"CS", "1"},
				    {"DI", "2"},
				    {"DO", "3", "ro"},
				    {"FWE", "5:4"},
				    {"REQ", "6"},
				    {"GNT", "7", 0, 0, "EECD.REQ"},
				    {"PRES", "8", "ro"},
				    {"SIZE", "9", "ro"},
				    {0}};
static const struct field eerd[] = {
	{"START", "0"}, {"DONE", "4", "ro"}, {"ADDR", "15:8"}, {"DATA", "31:16", "ro"}, {0}};
static const struct field ctrl_ext[] = {{"EE_RST", "13", "self-clear"}, {0}};
static const struct field mdic[] = {
	{"DATA", "15:0"}, {"REG", "20:16"}, {"PHY", "25:21"}, {"OP", "27:26"},
	{"R", "28"},	  {"I", "29"},	    {"E", "30"},      {0}};
static const struct field icr[] = {{"TXDW", "0"},  {"TXQE", "1"},   {"LSC", "2"},
				   {"RXSEQ", "3"}, {"RXDMT0", "4"}, {"RXO", "6"},
				   {"RXT0", "7"},  {"MDAC", "9"},   {0}};
static const struct field rctl[] = {{"EN", "1"},      {"SBP", "2"},
				    {"UPE", "3"},     {"MPE", "4"},
				    {"LPE", "5"},     {"LBM", "7:6"},
				    {"RDMTS", "9:8"}, {"MO", "13:12"},
				    {"BAM", "15"},    {"BSIZE", "17:16"},
				    {"VFE", "18"},    {"BSEX", "25"},
				    {"SECRC", "26"},  {0}};
static const struct field tctl[] = {{"EN", "1"}, {"PSP", "3"}, {0}};
static const struct field rxcsum[] = {{"PCSS", "7:0"}, {"IPOFL", "8"}, {"TUOFL", "9"}, {0}};
static const struct field rah[] = {{"AV", "31"}, {0}};
static const struct field phy_ctrl[] = {
	{"LOOP", "14"}, {"RESTART", "9", "self-clear"}, {"RESET", "15", "self-clear"}, {0}};
static const struct field phy_status[] = {
	{"LINK", "2", 0, 0, "link.up"}, {"DONE", "5", 0, 0, "link.up"}, {0}};
static const struct field psstat[] = {{"LINK", "10", 0, 0, "link.up"}, {0}};

static const struct reg csr_registers[] = {
	{"CTRL", 0x0000, .reset = 0x00000201, .doc = "13.4.1", .fields = ctrl},
	{"STATUS", 0x0008, .access = "ro", .reset = 0x00000081, .doc = "13.4.2", .fields = status},
	{"EECD", 0x0010, .reset = 0x00000100, .doc = "13.4.3", .fields = eecd},
	{"EERD", 0x0014, .doc = "13.4.4", .fields = eerd},
	{"CTRL_EXT", 0x0018, .doc = "13.4.6", .fields = ctrl_ext},
	{"FLA", 0x001c},
	{"MDIC", 0x0020, .doc = "13.4.8", .fields = mdic},
	{"FCAL", 0x0028},
	{"FCAH", 0x002c, .mask = 0xffff},
	{"FCT", 0x0030, .mask = 0xffff},
	{"VET", 0x0038, .reset = 0x8100, .mask = 0xffff},
	{"ICR", 0x00c0, .access = "rc w1c", .doc = "13.4.17", .fields = icr},
	{"ITR", 0x00c4, .mask = 0xffff, .doc = "13.4.18"},
	{"ICS", 0x00c8, .access = "w1s", .alias = "ICR", .effects = "no", .doc = "13.4.19"},
	{"IMS", 0x00d0, .access = "w1s", .doc = "13.4.20"},
	{"IMC", 0x00d8, .access = "w1c", .alias = "IMS", .effects = "no", .doc = "13.4.21"},
	{"RCTL", 0x0100, .mask = 0x07ffffff, .doc = "13.4.22", .fields = rctl},
	{"FCTTV", 0x0170, .mask = 0xffff},
	{"TXCW", 0x0178, .mask = 0xc000ffff},
	{"RXCW", 0x0180, .access = "ro"},
	{"TCTL", 0x0400, .doc = "13.4.33", .fields = tctl},
	{"TIPG", 0x0410, .mask = 0x3fffffff},
	{"AIT", 0x0458, .mask = 0xffff},
	{"LEDCTL", 0x0e00, .reset = 0x07068302},
	{"PBA", 0x1000, .reset = 0x00100030},
	{"FCRTL", 0x2160, .mask = 0x8000fff8},
	{"FCRTH", 0x2168, .mask = 0x0000fff8},
	{"RDFH", 0x2410, .mask = 0xffff},
	{"RDFT", 0x2418, .mask = 0xffff},
	{"RDFHS", 0x2420, .mask = 0xffff},
	{"RDFTS", 0x2428, .mask = 0xffff},
	{"RDFPC", 0x2430, .mask = 0xffff},
	{"RDBAL", 0x2800, .mask = 0xfffffff0, .doc = "13.4.25"},
	{"RDBAH", 0x2804},
	{"RDLEN", 0x2808, .mask = 0x000fff80},
	{"RDH", 0x2810, .mask = 0xffff},
	{"RDT", 0x2818, .mask = 0xffff, .does = "wake rx", .do_on = "any"},
	{"RDTR", 0x2820, .mask = 0xffff},
	{"RXDCTL", 0x2828},
	{"RADV", 0x282c, .mask = 0xffff},
	{"TDFH", 0x3410, .mask = 0xffff},
	{"TDFT", 0x3418, .mask = 0xffff},
	{"TDFHS", 0x3420, .mask = 0xffff},
	{"TDFTS", 0x3428, .mask = 0xffff},
	{"TDFPC", 0x3430, .mask = 0xffff},
	{"TDBAL", 0x3800, .mask = 0xfffffff0, .doc = "13.4.36"},
	{"TDBAH", 0x3804},
	{"TDLEN", 0x3808, .mask = 0x000fff80},
	{"TDH", 0x3810, .mask = 0xffff},
	{"TDT", 0x3818, .mask = 0xffff, .does = "wake tx", .do_on = "any"},
	{"TIDV", 0x3820, .mask = 0xffff},
	{"TXDCTL", 0x3828},
	{"TADV", 0x382c, .mask = 0xffff},
	{"TSPMT", 0x3830},
	{"RXCSUM", 0x5000, .doc = "13.4.35", .fields = rxcsum},
	{"MTA", 0x5200, .count = 128},
	{"RAL", 0x5400, .count = 16, .stride = 8},
	{"RAH", 0x5404, .mask = 0x8003ffff, .count = 16, .stride = 8, .fields = rah},
	{"VFTA", 0x5600, .count = 128},
	{"WUC", 0x5800},
	{"WUFC", 0x5808},
	{"WUS", 0x5810},
	{"MANC", 0x5820},
	{0}};

static const struct reg phy_registers[] = {
	{"PHY_CTRL", 0, .reset = 0x1140, .mask = 0xffc0, .fields = phy_ctrl},
	{"PHY_STATUS", 2, .access = "ro", .reset = 0x7949, .fields = phy_status},
	{"PHY_ID1", 4, .access = "ro", .reset = 0x0141},
	{"PHY_ID2", 6, .access = "ro", .reset = 0x0c20},
	{"ANAR", 8, .reset = 0x01e1},
	{"ANLPAR", 10, .access = "ro", .reset = 0x45e1},
	{"ANER", 12, .access = "ro", .reset = 0x0001},
	{"ANNPT", 14},
	{"ANLPNP", 16, .access = "ro"},
	{"GCON", 18, .reset = 0x0e00},
	{"GSTATUS", 20, .access = "ro", .reset = 0x7c00},
	{"ESTATUS", 30, .access = "ro", .reset = 0x3000},
	{"PSCON", 32, .reset = 0x0068},
	{"PSSTAT", 34, .access = "ro", .reset = 0xa800, .fields = psstat},
	{"PINTE", 36},
	{"PINTS", 38, .access = "ro"},
	{"EPSCON1", 40, .reset = 0x0d60},
	{"PREC", 42},
	{"PR22", 44},
	{"PR23", 46},
	{"LEDCON", 48},
	{"LEDOVER", 50},
	{"EPSCON2", 52},
	{"EPSSTAT", 54},
	{"PR28", 56},
	{"PR29", 58},
	{"PR30", 60},
	{"PR31", 62},
	{0}};

static const struct counter counters[] = {
	{"CRCERRS", 0x4000, .counts = "rx.errors", .sticks = 1},
	{"ALGNERRC", 0x4004},
	{"SYMERRS", 0x4008},
	{"RXERRC", 0x400c},
	{"MPC", 0x4010, .counts = "rx.no-room", .sticks = 1},
	{"SCC", 0x4014},
	{"ECOL", 0x4018},
	{"MCC", 0x401c},
	{"LATECOL", 0x4020},
	{"COLC", 0x4028},
	{"DC", 0x4030},
	{"TNCRS", 0x4034},
	{"SEC", 0x4038},
	{"CEXTERR", 0x403c},
	{"RLEC", 0x4040},
	{"XONRXC", 0x4048},
	{"XONTXC", 0x404c},
	{"XOFFRXC", 0x4050},
	{"XOFFTXC", 0x4054},
	{"FCRUC", 0x4058},
	{"PRC64", 0x405c, .counts = "rx.64", .sticks = 1},
	{"PRC127", 0x4060, .counts = "rx.127", .sticks = 1},
	{"PRC255", 0x4064, .counts = "rx.255", .sticks = 1},
	{"PRC511", 0x4068, .counts = "rx.511", .sticks = 1},
	{"PRC1023", 0x406c, .counts = "rx.1023", .sticks = 1},
	{"PRC1522", 0x4070, .counts = "rx.max", .sticks = 1},
	{"GPRC", 0x4074, .counts = "rx.good", .sticks = 1},
	{"BPRC", 0x4078, .counts = "rx.broadcast", .sticks = 1},
	{"MPRC", 0x407c, .counts = "rx.multicast", .sticks = 1},
	{"GPTC", 0x4080, .counts = "tx.frames", .sticks = 1},
	{"GORCL", 0x4088, .access = "ro", .counts = "rx.bytes", .high = "GORCH"},
	{"GORCH", 0x408c},
	{"GOTCL", 0x4090, .access = "ro", .counts = "tx.bytes", .high = "GOTCH"},
	{"GOTCH", 0x4094},
	{"RNBC", 0x40a0},
	{"RUC", 0x40a4, .counts = "rx.too-short"},
	{"RFC", 0x40a8},
	{"ROC", 0x40ac, .counts = "rx.too-long"},
	{"RJC", 0x40b0},
	{"MGTPRC", 0x40b4},
	{"MGTPDC", 0x40b8},
	{"MGTPTC", 0x40bc},
	{"TORL", 0x40c0, .access = "ro", .counts = "rx.total-bytes", .high = "TORH"},
	{"TORH", 0x40c4},
	{"TOTL", 0x40c8, .access = "ro", .counts = "tx.bytes", .high = "TOTH"},
	{"TOTH", 0x40cc},
	{"TPR", 0x40d0, .counts = "rx.total", .sticks = 1},
	{"TPT", 0x40d4, .counts = "tx.frames", .sticks = 1},
	{"PTC64", 0x40d8, .counts = "tx.64", .sticks = 1},
	{"PTC127", 0x40dc, .counts = "tx.127", .sticks = 1},
	{"PTC255", 0x40e0, .counts = "tx.255", .sticks = 1},
	{"PTC511", 0x40e4, .counts = "tx.511", .sticks = 1},
	{"PTC1023", 0x40e8, .counts = "tx.1023", .sticks = 1},
	{"PTC1522", 0x40ec, .counts = "tx.max", .sticks = 1},
	{"MPTC", 0x40f0, .counts = "tx.multicast", .sticks = 1},
	{"BPTC", 0x40f4, .counts = "tx.broadcast", .sticks = 1},
	{"TSCTC", 0x40f8, .counts = "tx.segmented"},
	{"TSCTFC", 0x40fc},
	{0}};

static const struct field tx_context[] = {
	{"IPCSS", "7:0"},      {"IPCSO", "15:8"},  {"IPCSE", "31:16"},
	{"TUCSS", "39:32"},    {"TUCSO", "47:40"}, {"TUCSE", "63:48"},
	{"PAYLEN", "83:64"},   {"DTYP", "87:84"},  {"TSE", "90"},
	{"RS", "91"},	       {"DEXT", "93"},	   {"DD", "96"},
	{"HDRLEN", "111:104"}, {"MSS", "127:112"}, {0}};
static const struct field tx_data[] = {{"address", "63:0"}, {"length", "83:64"},
				       {"DTYP", "87:84"},   {"EOP", "88"},
				       {"TSE", "90"},	    {"RS", "91"},
				       {"DEXT", "93"},	    {"VLE", "94"},
				       {"IDE", "95"},	    {"DD", "96"},
				       {"IXSM", "104"},	    {"TXSM", "105"},
				       {"TCI", "127:112"},  {0}};
static const struct field tx_legacy[] = {{"address", "63:0"}, {"length", "79:64"},
					 {"CSO", "87:80"},    {"EOP", "88"},
					 {"IFCS", "89"},      {"IC", "90"},
					 {"RS", "91"},	      {"DEXT", "93"},
					 {"VLE", "94"},	      {"IDE", "95"},
					 {"DD", "96"},	      {"CSS", "111:104"},
					 {"TCI", "127:112"},  {0}};
static const struct field rx_legacy[] = {
	{"address", "63:0"},  {"length", "79:64"},    {"checksum", "95:80"},
	{"status", "103:96"}, {"DD", "96"},	      {"EOP", "97"},
	{"IXSM", "98"},	      {"VP", "99"},	      {"TCPCS", "101"},
	{"IPCS", "102"},      {"errors", "111:104"},  {"TCPE", "109"},
	{"IPE", "110"},	      {"special", "127:112"}, {0}};
/* An element with its attributes, name and value in turn. */
static void begin(struct anynic_draft *draft, uint32_t line, const char *const *words)
{
	anynic_draft_element(draft, *words++, __FILE__, line);
	for (; *words; words += 2)
		anynic_attribute(draft, words[0], words[1]);
}

#define BEGIN(...) begin(draft, __LINE__, (const char *const[]){__VA_ARGS__, 0})
#define END anynic_end(draft)
#define PUT(...) (BEGIN(__VA_ARGS__), END)

static void text(struct anynic_draft *draft, const char *name, const char *value)
{
	if (value)
		anynic_attribute(draft, name, value);
}

static void number(struct anynic_draft *draft, const char *name, uint32_t value)
{
	if (value)
		anynic_number(draft, name, value);
}

static void fields(struct anynic_draft *draft, const struct field *at)
{
	for (; at && at->name; at++) {
		BEGIN("field", "name", at->name, "bits", at->bits);
		text(draft, "access", at->access);
		text(draft, "do", at->does);
		text(draft, "shows", at->shows);
		END;
	}
}

static void registers(struct anynic_draft *draft, const struct reg *at)
{
	for (; at->name; at++) {
		BEGIN("register", "name", at->name);
		anynic_number(draft, "at", at->at);
		text(draft, "access", at->access);
		number(draft, "reset", at->reset);
		number(draft, "mask", at->mask);
		number(draft, "count", at->count);
		number(draft, "stride", at->stride);
		text(draft, "do", at->does);
		text(draft, "do-on", at->do_on);
		text(draft, "alias", at->alias);
		text(draft, "effects", at->effects);
		text(draft, "doc", at->doc);
		fields(draft, at->fields);
		END;
	}
}

static void statistics(struct anynic_draft *draft, const struct counter *at)
{
	for (; at->name; at++) {
		BEGIN("counter", "name", at->name, "access", at->access ? at->access : "rc");
		anynic_number(draft, "at", at->at);
		text(draft, "counts", at->counts);
		text(draft, "high", at->high);
		if (at->sticks)
			anynic_attribute(draft, "on-overflow", "stick");
		END;
	}
}

static void record(struct anynic_draft *draft, const char *name, const struct field *at)
{
	BEGIN("record", "name", name, "size", "16");
	fields(draft, at);
	END;
}

static void identity(struct anynic_draft *draft)
{
	PUT("pci", "vendor", "0x8086", "device", "0x100e", "subsystem-vendor", "0x8086",
	    "subsystem", "0x001e", "revision", "0x02", "class", "0x020000", "interrupt", "INTA");
	PUT("bar", "index", "0", "space", "memory", "size", "128K", "bank", "csr");
	BEGIN("bar", "index", "2", "space", "io", "size", "64");
	PUT("index-data", "index", "0", "data", "4", "register", "IOADDR", "bank", "csr");
	END;
}

static void banks(struct anynic_draft *draft)
{
	BEGIN("bank", "name", "io", "width", "32");
	PUT("register", "name", "IOADDR", "at", "0");
	END;
	BEGIN("bank", "name", "csr", "width", "32");
	registers(draft, csr_registers);
	statistics(draft, counters);
	END;
}

static void eeprom(struct anynic_draft *draft)
{
	static const struct {
		uint16_t at, value;
	} words[] = {{3, 0x0000},  {4, 0xffff},	 {8, 0x0000},  {9, 0x0000},  {10, 0x4408},
		     {11, 0x001e}, {12, 0x8086}, {13, 0x100e}, {14, 0x8086}, {15, 0x3040}};

	BEGIN("eeprom", "words", "64");
	PUT("mac", "words", "0-2");
	for (unsigned i = 0; i < sizeof(words) / sizeof(*words); i++) {
		BEGIN("word");
		anynic_number(draft, "at", words[i].at);
		anynic_number(draft, "value", words[i].value);
		END;
	}
	PUT("sum", "word", "63", "total", "0xbaba");
	END;
	PUT("pins", "of", "EECD", "to", "eeprom", "clock", "0", "select", "1", "in", "2", "out",
	    "3", "address-bits", "6", "when", "EECD.REQ");
	PUT("window", "to", "eeprom", "index", "EERD.ADDR", "data", "EERD.DATA", "read-when",
	    "EERD.START", "done", "set EERD.DONE; clear EERD.START");
}

static void phy(struct anynic_draft *draft)
{
	BEGIN("phy", "name", "phy", "width", "16");
	registers(draft, phy_registers);
	END;
	PUT("window", "to", "phy", "index", "MDIC.REG", "chip", "MDIC.PHY == 1", "data",
	    "MDIC.DATA", "write-when", "MDIC.OP == 1", "read-when", "MDIC.OP == 2", "done",
	    "set MDIC.R; MDIC.E = MDIC.PHY != 1; raise ICR.MDAC if MDIC.I");
}

static void transmit_ring(struct anynic_draft *draft)
{
	BEGIN("ring", "name", "tx", "for", "transmit", "when", "TCTL.EN", "next", "array", "base",
	      "TDBAH:TDBAL", "end", "bytes TDLEN", "cursor", "TDH", "ready", "until TDT", "empty",
	      "raise ICR.TXQE");
	PUT("use", "record", "tx-context", "as", "context", "key", "TSE", "when",
	    "DEXT and DTYP == 0");
	BEGIN("use", "record", "tx-data", "as", "data", "when", "DEXT and DTYP == 1", "last",
	      "EOP");
	PUT("buffer", "address", "address", "length", "length");
	PUT("segment", "when", "first.TSE", "mss", "context[1].MSS", "header", "context[1].HDRLEN",
	    "payload", "context[1].PAYLEN");
	PUT("checksum", "of", "range", "when", "first.IXSM", "start", "context[0].IPCSS", "put",
	    "context[0].IPCSO", "end", "context[0].IPCSE", "seed", "given");
	PUT("checksum", "of", "range", "when", "first.TXSM", "start", "context[0].TUCSS", "put",
	    "context[0].TUCSO", "end", "context[0].TUCSE", "seed", "given");
	END;
	BEGIN("use", "record", "tx-legacy", "as", "data", "when", "not DEXT", "last", "EOP");
	PUT("buffer", "address", "address", "length", "length");
	PUT("checksum", "of", "range", "when", "slot.IC", "start", "slot.CSS", "put", "slot.CSO",
	    "seed", "given");
	END;
	PUT("vlan", "when", "slot.VLE and CTRL.VME", "tci", "slot.TCI", "type", "VET");
	PUT("fcs");
	PUT("pad", "to", "60", "when", "TCTL.PSP");
	PUT("loop", "when", "PHY_CTRL.LOOP or RCTL.LBM != 0");
	PUT("complete", "when", "RS", "write", "DD = 1", "do", "raise ICR.TXDW");
	END;
}

static void receive_ring(struct anynic_draft *draft)
{
	BEGIN("ring", "name", "rx", "for", "receive", "when", "RCTL.EN", "next", "array", "base",
	      "RDBAH:RDBAL", "end", "bytes RDLEN", "cursor", "RDH", "ready", "until RDT", "empty",
	      "raise ICR.RXO");
	BEGIN("use", "record", "rx-legacy", "as", "room");
	PUT("buffer", "address", "address", "skip", "address == 0", "length",
	    "choose(RCTL.BSIZE, 2048, 1024, 512, 256) << (RCTL.BSEX * 4)");
	END;
	PUT("fcs", "when", "not RCTL.SECRC");
	PUT("vlan", "when", "CTRL.VME", "type", "VET");
	PUT("checksum", "of", "ip", "when", "RXCSUM.IPOFL");
	PUT("checksum", "of", "l4", "when", "RXCSUM.TUOFL");
	PUT("complete", "write",
	    "status = 0; errors = 0; checksum = 0; length = frame.put; special = frame.tci * "
	    "CTRL.VME; IXSM = not (frame.checked.ip or frame.checked.l4); IPCS = frame.checked.ip; "
	    "IPE = frame.checked.ip and not frame.ok.ip; TCPCS = frame.checked.l4; TCPE = "
	    "frame.checked.l4 and not frame.ok.l4; VP = frame.vlan and CTRL.VME; EOP = frame.last; "
	    "DD = 1");
	PUT("complete", "at", "last", "do",
	    "raise ICR.RXT0; raise ICR.RXDMT0 if rx.ready <= (rx.entries >> (RCTL.RDMTS + 1))");
	END;
}

static void filter(struct anynic_draft *draft)
{
	BEGIN("receive", "rings", "rx", "max", "choose(RCTL.LPE, 1518, 16384)");
	PUT("accept", "class", "all", "when", "RCTL.UPE and not frame.multicast");
	PUT("accept", "class", "multicast", "when", "RCTL.MPE and not frame.broadcast");
	PUT("accept", "class", "broadcast", "when", "RCTL.BAM");
	PUT("accept", "class", "exact", "table", "RAH[i][15:0]:RAL[i]", "valid", "RAH[i].AV",
	    "entries", "16");
	PUT("accept", "class", "hash", "table", "MTA", "index",
	    "(frame.destination[47:32] >> choose(RCTL.MO, 4, 3, 2, 0))[11:0]");
	PUT("accept", "class", "vlan", "must", "yes", "table", "VFTA", "index", "frame.tci[11:0]",
	    "when", "RCTL.VFE");
	END;
}

static void interrupts_and_resets(struct anynic_draft *draft)
{
	BEGIN("interrupt", "line", "INTA", "cause", "ICR", "mask", "IMS");
	PUT("moderate", "interval", "ITR * 256ns");
	PUT("moderate", "cause", "ICR.TXDW", "record", "tx-legacy", "when", "IDE", "idle",
	    "TIDV * 1024ns", "limit", "TADV * 1024ns");
	PUT("moderate", "cause", "ICR.RXT0", "idle", "RDTR * 1024ns", "limit", "RADV * 1024ns");
	END;
	PUT("on", "event", "link", "do", "raise ICR.LSC");
	PUT("reset", "name", "power", "do", "reset address");
	PUT("reset", "name", "function", "clears", "csr io phy tx rx", "do", "reset address");
	PUT("reset", "name", "soft", "clears", "csr tx rx", "keeps", "EECD MTA RAL RAH VFTA", "do",
	    "reset address");
	PUT("reset", "name", "address", "do",
	    "RAL[0] = eeprom[1]:eeprom[0]; RAH[0] = 0x80000000 | eeprom[2]");
	PUT("reset", "name", "phy-hard", "clears", "phy");
}

static int32_t configure(struct anynic_draft *draft)
{
	identity(draft);
	banks(draft);
	eeprom(draft);
	phy(draft);
	record(draft, "tx-context", tx_context);
	record(draft, "tx-data", tx_data);
	record(draft, "tx-legacy", tx_legacy);
	record(draft, "rx-legacy", rx_legacy);
	transmit_ring(draft);
	receive_ring(draft);
	filter(draft);
	interrupts_and_resets(draft);
	return ANYNIC_OK;
}

ANYNIC_MODULE(.configure = configure)
