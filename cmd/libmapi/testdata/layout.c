/* Layouts and numbers of the original on 64-bit machines; it need only compile. */
#include <stddef.h>

#include <mapi.h>
#include <mapi/stdflib.h>

#define IS(what, number) _Static_assert((what) == (number), #what)
#define AT(type, field, at) IS(offsetof(type, field), at)

IS(sizeof(mapi_results_t), 24);
AT(mapi_results_t, res, 0);
AT(mapi_results_t, ts, 8);
AT(mapi_results_t, size, 16);

AT(struct mapipkt, ts, 0);
AT(struct mapipkt, ifindex, 8);
AT(struct mapipkt, caplen, 12);
AT(struct mapipkt, wlen, 16);
AT(struct mapipkt, pkt, 20);

IS(sizeof(mapi_flow_info_t), 296);
AT(mapi_flow_info_t, uid, 0);
AT(mapi_flow_info_t, fd, 4);
AT(mapi_flow_info_t, devid, 8);
AT(mapi_flow_info_t, device, 12);
AT(mapi_flow_info_t, num_functions, 268);
AT(mapi_flow_info_t, start, 272);
AT(mapi_flow_info_t, end, 280);
AT(mapi_flow_info_t, status, 288);

IS(sizeof(mapi_function_info_t), 800);
AT(mapi_function_info_t, fid, 0);
AT(mapi_function_info_t, name, 4);
AT(mapi_function_info_t, libname, 260);
AT(mapi_function_info_t, devtype, 516);
AT(mapi_function_info_t, pkts, 776);
AT(mapi_function_info_t, passed_pkts, 784);
AT(mapi_function_info_t, result_size, 792);

IS(sizeof(mapi_device_info_t), 1808);
AT(mapi_device_info_t, id, 0);
AT(mapi_device_info_t, device, 4);
AT(mapi_device_info_t, name, 260);
AT(mapi_device_info_t, alias, 516);
AT(mapi_device_info_t, description, 772);
AT(mapi_device_info_t, link_speed, 1796);
AT(mapi_device_info_t, mpls, 1800);
AT(mapi_device_info_t, vlan, 1804);

IS(sizeof(mapi_lib_info_t), 264);
AT(mapi_lib_info_t, id, 0);
AT(mapi_lib_info_t, libname, 4);
AT(mapi_lib_info_t, functs, 260);
AT(mapi_lib_info_t, funcs, 260);

IS(sizeof(mapi_libfunct_info_t), 1792);
AT(mapi_libfunct_info_t, name, 0);
AT(mapi_libfunct_info_t, descr, 256);
AT(mapi_libfunct_info_t, argdescr, 1280);
AT(mapi_libfunct_info_t, devtype, 1536);

IS(sizeof(struct mapi_stat), 524);
AT(struct mapi_stat, ps_recv, 0);
AT(struct mapi_stat, ps_drop, 4);
AT(struct mapi_stat, ps_ifdrop, 8);
AT(struct mapi_stat, hostname, 12);
AT(struct mapi_stat, dev, 268);

IS(sizeof(bucket_data_t), 16);
AT(bucket_data_t, timestamp, 0);
AT(bucket_data_t, data, 8);

IS(sizeof(burst_category_t), 40);
AT(burst_category_t, bytes, 0);
AT(burst_category_t, packets, 8);
AT(burst_category_t, bursts, 16);
AT(burst_category_t, gap_bytes, 24);
AT(burst_category_t, gaps, 32);

AT(dist_t, min, 0);
AT(dist_t, max, 8);
AT(dist_t, intervals, 16);
AT(dist_t, data, 24);

IS(sizeof(hash_samp_t), 40);
AT(hash_samp_t, source_ip, 0);
AT(hash_samp_t, dest_ip, 4);
AT(hash_samp_t, sourceport, 8);
AT(hash_samp_t, destport, 12);
AT(hash_samp_t, sequence, 16);
AT(hash_samp_t, tcp_flags, 20);
AT(hash_samp_t, protocol, 24);
AT(hash_samp_t, timestamp, 32);

IS(sizeof(startstop_t), 24);
AT(startstop_t, first, 0);
AT(startstop_t, first_processed, 8);
AT(startstop_t, last, 16);

IS(sizeof(stats_t), 64);
AT(stats_t, count, 0);
AT(stats_t, sum, 16);
AT(stats_t, sum2, 32);
AT(stats_t, max, 48);
AT(stats_t, min, 56);

IS(sizeof(threshold_event_t), 24);
AT(threshold_event_t, timestamp, 0);
AT(threshold_event_t, value, 8);
AT(threshold_event_t, remaining, 16);

IS(MFF_PCAP, 0);
IS(MFF_RAW, 1);
IS(MFF_DAG_ERF, 2);
IS(MFF_COMBO6, 3);
IS(MFF_NAPATECH, 4);
IS(FLOW_INIT, 0);
IS(FLOW_ACTIVE, 1);
IS(FLOW_FINISHED, 2);
IS(FLOW_CLOSED, 3);

int main(void)
{
	return 0;
}
